//! Folders of recordings as inputs: their files checked, then put together by source.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::fault::Fault;
use crate::base::model::SourceInfo;
use crate::collect::recording::Lines;
use crate::store::{self, MANIFEST, Manifest, Problem};

/// A folder of recordings and what its manifest says.
pub struct Folder {
    /// Where it is.
    pub dir: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
}

/// The folder of recordings that a path means: one with a manifest, or the manifest itself; `None`
/// for any other path.
///
/// # Errors
/// Where it is a folder without a manifest that can be read.
pub fn folder(path: &Path) -> Result<Option<Folder>, Fault> {
    let dir = if path.is_dir() {
        path.to_path_buf()
    } else if path.file_name().is_some_and(|n| n == MANIFEST) {
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        }
    } else {
        return Ok(None);
    };
    match Manifest::read(&dir) {
        Ok(Some(manifest)) => Ok(Some(Folder { dir, manifest })),
        Ok(None) => {
            let what = format!("expected a folder of recordings with {MANIFEST}, found none in {}", dir.display());
            Err(Fault::new(what).hint("name the files one by one; `groundswell record` writes such folders"))
        }
        Err(e) => Err(Fault::new(e.to_string())),
    }
}

impl Folder {
    /// A file's problem as a fault that names its path.
    pub fn fault(&self, p: Problem) -> Fault {
        Fault::new(format!("{}: {}", self.dir.join(&p.file).display(), p.what))
    }

    /// What is wrong with the folder besides its files' contents: recordings the manifest does not
    /// know; as warnings, files that are not finished, which are not read.
    pub fn strangers(&self) -> Vec<Fault> {
        let found = store::surplus(&self.dir, &self.manifest)
            .and_then(|surplus| store::unfinished(&self.dir).map(|unfinished| (surplus, unfinished)));
        let (surplus, unfinished) = match found {
            Ok(found) => found,
            Err(e) => {
                let what = format!("expected a folder that can be read, found {}: {e}", self.dir.display());
                return vec![Fault::new(what)];
            }
        };
        let problem = |file: String, what: &str| self.fault(Problem { file, what: what.to_string() });
        let surplus = surplus
            .into_iter()
            .map(|f| problem(f, &format!("expected a file of {MANIFEST}, found one it does not name")));
        let unfinished = unfinished.into_iter().map(|f| {
            let fault = problem(f, "expected a finished file, found one that is being written or was left behind");
            fault.hint("it is not read; the next `groundswell record` into this folder finishes it").warn()
        });
        surplus.chain(unfinished).collect()
    }

    /// Everything that is not as the manifest says. Reads every file once.
    pub fn check(&self) -> Vec<Fault> {
        let files = self.manifest.files.iter();
        let mut faults: Vec<Fault> =
            files.filter_map(|f| store::check_file(&self.dir, f).err()).map(|p| self.fault(p)).collect();
        faults.extend(self.strangers());
        faults
    }

    /// The one source whose frames it holds.
    ///
    /// # Errors
    /// Where it holds those of several, or none.
    pub fn single(&self) -> Result<SourceInfo, Fault> {
        let mut sources = self.manifest.files.iter().map(|f| (&f.source, &f.format));
        let dir = self.dir.display();
        let Some((name, format)) = sources.next() else {
            return Err(Fault::new(format!("expected a folder with a recording, found none finished in {dir}")));
        };
        if sources.any(|other| other != (name, format)) {
            let what = format!("expected a folder with recordings of one source, found several in {dir}");
            return Err(Fault::new(what).hint("`groundswell replay` puts those of several in order"));
        }
        Ok(SourceInfo { name: name.as_str().into(), format: format.clone() })
    }

    /// Its recordings, one a source: files of one source are read one after the other. Files that
    /// are not there are left out.
    pub fn inputs(&self) -> Vec<(Arc<SourceInfo>, Lines)> {
        let mut sources: Vec<(SourceInfo, Vec<PathBuf>)> = Vec::new();
        for file in &self.manifest.files {
            let source = SourceInfo { name: file.source.as_str().into(), format: file.format.clone() };
            let path = self.dir.join(&file.file);
            if !path.is_file() {
                continue;
            }
            match sources.iter_mut().find(|(s, _)| *s == source) {
                Some((_, files)) => files.push(path),
                None => sources.push((source, vec![path])),
            }
        }
        sources.into_iter().map(|(source, files)| (Arc::new(source), Lines::of_files(files))).collect()
    }
}
