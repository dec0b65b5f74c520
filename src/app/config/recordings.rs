//! Recordings as sources.

use std::path::PathBuf;

use super::keys;
use super::reading::Reading;
use crate::app::recorded;
use crate::base::fault::Fault;
use crate::base::model::WireFormat;
use crate::base::yaml::{Data, Fields, Node};
use crate::collect::recording;

/// A recording that is played as a source.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordingConfig {
    /// The file, or the folder with its manifest.
    pub path: PathBuf,
    /// Times as fast as it was recorded, above 0; `None`: as fast as it can be read.
    pub speed: Option<f64>,
}

/// Reads one, and tells the format of its lines.
pub(super) fn recording(
    c: &mut Reading,
    what: &str,
    key: &Node,
    fields: &Fields,
) -> Option<(WireFormat, RecordingConfig)> {
    let said = fields.get("format").and_then(|n| c.word(n, "a format", keys::FORMATS));
    let said = said.map(|i| match i {
        0 => WireFormat::Jetstream,
        1 => WireFormat::JetstreamV2,
        _ => WireFormat::Post,
    });
    let speed = fields.get("speed").and_then(|n| speed(c, n));
    let Some(node) = fields.get("path") else {
        c.r.fault(key, format!("expected `path` in {what}, found none")).hint =
            Some("a file with a frame a line, or a folder that `groundswell record` wrote".into());
        return None;
    };
    let path = c.folder.join(c.r.text(node, "a path")?);
    match format(&path, said.as_ref()) {
        Ok(format) => {
            if let Some(node) = fields.get("format")
                && said.is_some_and(|said| said != format)
            {
                c.r.fault(node, "expected the format that the folder's manifest tells, found another").hint =
                    Some("leave `format` out".into());
            }
            Some((format, RecordingConfig { path, speed }))
        }
        Err(fault) => {
            // what the file is named may come from the environment
            let shown =
                if node.hidden { "expected a recording, found none that can be read".into() } else { fault.what };
            c.r.fault(node, shown).hint = fault.hint;
            None
        }
    }
}

/// The format of a recording's lines, if it can be read.
fn format(path: &std::path::Path, said: Option<&WireFormat>) -> Result<WireFormat, Fault> {
    if let Some(folder) = recorded::folder(path)? {
        return folder.single().map(|s| s.format.clone());
    }
    let fail = |e: String| Fault::new(format!("expected a recording that can be read, found {}: {e}", path.display()));
    // a pipe would be waited for
    let is_file = path.metadata().map_err(|e| fail(e.to_string()))?.is_file();
    if !is_file {
        return Err(fail("no file and no folder".to_string()));
    }
    let mut lines = recording::open(&path.to_string_lossy()).map_err(|e| fail(e.to_string()))?;
    Ok(said.cloned().unwrap_or_else(|| recording::guess(&lines.first_lines())))
}

fn speed(c: &mut Reading, node: &Node) -> Option<f64> {
    let text = c.r.text(node, "a speed")?;
    if text == "full" {
        return None;
    }
    let speed = text.parse::<f64>().ok().filter(|s| s.is_finite() && *s > 0.0);
    if speed.is_none() {
        c.r.fault(node, format!("expected a number above 0 or `full` as the speed, found {}", node.shown())).hint =
            Some("1 is as fast as it was recorded, 60 plays an hour in a minute".into());
    }
    speed
}

/// A recording has a time of its own: it must be the only source.
pub(super) fn alone(c: &mut Reading, sources: &[(Node, Node)]) {
    let is = |n: &Node, text: &str| matches!(&n.data, Data::Scalar(s, _) if s == text);
    let plays = |node: &Node| match &node.data {
        Data::Map(pairs) => pairs.iter().any(|(k, v)| is(k, "type") && is(v, "recording")),
        _ => false,
    };
    let Some((first, _)) = sources.iter().find(|(_, value)| plays(value)) else { return };
    let name = first.shown();
    for (key, value) in sources.iter().filter(|(key, _)| !std::ptr::eq(key, first)) {
        let (what, hint) = if plays(value) {
            (
                "recording",
                "the order of several recordings is not known; `groundswell replay` puts them in order by time",
            )
        } else {
            ("live source", "time is that of the recording; run it with a config of its own")
        };
        c.r.fault(key, format!("expected no {what} beside the recording {name}, found {}", key.shown())).hint =
            Some(hint.into());
    }
}
