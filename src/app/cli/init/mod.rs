//! `init`: the files of a service, to begin with.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::output::{is_closed, tell_error};
use super::{FAILED, FINE, one_query};
use crate::app::config::{keys, schema};
use crate::app::files::CONFIG;
use crate::app::testing::keys::TESTS;
use crate::base::fault::printable;
use crate::base::rule::keys::FILE;

/// The rules that are shipped, and their tests.
const RULES: [(&str, &str); 20] = [
    ("rules/big-voice.yaml", include_str!("../../../../rules/big-voice.yaml")),
    ("rules/big-voice.test.yaml", include_str!("../../../../rules/big-voice.test.yaml")),
    ("rules/cannot-judge.yaml", include_str!("../../../../rules/cannot-judge.yaml")),
    ("rules/cannot-judge.test.yaml", include_str!("../../../../rules/cannot-judge.test.yaml")),
    ("rules/hostile-surge.yaml", include_str!("../../../../rules/hostile-surge.yaml")),
    ("rules/hostile-surge.test.yaml", include_str!("../../../../rules/hostile-surge.test.yaml")),
    ("rules/new-hashtag.yaml", include_str!("../../../../rules/new-hashtag.yaml")),
    ("rules/new-hashtag.test.yaml", include_str!("../../../../rules/new-hashtag.test.yaml")),
    ("rules/pile-on.yaml", include_str!("../../../../rules/pile-on.yaml")),
    ("rules/pile-on.test.yaml", include_str!("../../../../rules/pile-on.test.yaml")),
    ("rules/praise-surge.yaml", include_str!("../../../../rules/praise-surge.yaml")),
    ("rules/praise-surge.test.yaml", include_str!("../../../../rules/praise-surge.test.yaml")),
    ("rules/safety-word.yaml", include_str!("../../../../rules/safety-word.yaml")),
    ("rules/safety-word.test.yaml", include_str!("../../../../rules/safety-word.test.yaml")),
    ("rules/sour-talk.yaml", include_str!("../../../../rules/sour-talk.yaml")),
    ("rules/sour-talk.test.yaml", include_str!("../../../../rules/sour-talk.test.yaml")),
    ("rules/source-silent.yaml", include_str!("../../../../rules/source-silent.yaml")),
    ("rules/source-silent.test.yaml", include_str!("../../../../rules/source-silent.test.yaml")),
    ("rules/story-spreading.yaml", include_str!("../../../../rules/story-spreading.yaml")),
    ("rules/story-spreading.test.yaml", include_str!("../../../../rules/story-spreading.test.yaml")),
];

/// Write the files of a service into a folder: config, a brand, rules, schemas for editors
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell init\n  groundswell init watch/ --brand 'Acme Corp' --query '\"acme corp\" OR #acme'\n\n\
                        Files that are there already are never changed without --force. `groundswell watch 'QUERY'` shows \
                        beforehand whom a query finds."
)]
pub(super) struct Init {
    /// The folder; made if there is none
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Name of the first brand
    #[arg(long, value_name = "NAME", value_parser = line)]
    brand: Option<String>,
    /// Its query; without it the name as a phrase
    #[arg(long, value_name = "QUERY", value_parser = line, requires = "brand")]
    query: Option<String>,
    /// Write over files that are there already
    #[arg(long)]
    force: bool,
}

fn line(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(|c| c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')) {
        return Err("expected a text of one line".to_string());
    }
    Ok(text.to_string())
}

impl Init {
    pub(super) fn run(&self) -> u8 {
        let name = self.brand.as_deref().unwrap_or("Acme");
        let query = match (&self.query, &self.brand) {
            (Some(query), _) => query.clone(),
            (None, Some(name)) => format!("\"{}\"", name.replace(['"', '\\'], " ").trim()),
            (None, None) => "\"acme corp\" OR #acme".to_string(),
        };
        if let Some(mistake) = one_query::mistake(&query) {
            one_query::tell(&query, &mistake);
            return FAILED;
        }
        match self.write(&files(name, &query)) {
            Ok(()) => FINE,
            Err(e) if is_closed(&e) => FINE,
            Err(e) => {
                tell_error(e);
                FAILED
            }
        }
    }

    fn write(&self, files: &[(&str, String)]) -> io::Result<()> {
        let of = |name: &str| self.dir.join(name);
        // links that lead nowhere are there, too
        let there: Vec<String> = files
            .iter()
            .map(|(name, _)| of(name))
            .filter(|p| p.symlink_metadata().is_ok())
            .map(|p| format!("\n  {}", printable(&p.display().to_string())))
            .collect();
        if !there.is_empty() && !self.force {
            let hint = "give another folder, or --force to write over them";
            return Err(io::Error::other(format!(
                "expected a folder without these files, found{}\n  hint: {hint}",
                there.concat()
            )));
        }
        let fail = |path: &Path, e: io::Error| {
            io::Error::other(format!("expected to write {}, found {e}", printable(&path.display().to_string())))
        };
        let mut out = io::stdout().lock();
        for (name, text) in files {
            let path = of(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|e| fail(folder, e))?;
            }
            let mut how = OpenOptions::new();
            how.write(true);
            let how = if self.force { how.create(true).truncate(true) } else { how.create_new(true) };
            how.open(&path).and_then(|mut f| f.write_all(text.as_bytes())).map_err(|e| fail(&path, e))?;
            writeln!(out, "wrote {}", printable(&path.display().to_string()))?;
        }
        let (check, test, run) = self.next();
        writeln!(out, "\nNext: edit {}, then", printable(&of("rules/brands.yaml").display().to_string()))?;
        writeln!(out, "  {check}\n  {test}\n  {run}")
    }

    /// The next three commands.
    fn next(&self) -> (String, String, String) {
        if self.dir == Path::new(".") {
            return ("groundswell check".to_string(), "groundswell test".to_string(), "groundswell run".to_string());
        }
        let quoted = |p: &Path| shell(&printable(&p.display().to_string()));
        (
            format!("groundswell check {}", quoted(&self.dir)),
            format!("groundswell test {}", quoted(&self.dir)),
            format!("groundswell run -c {}", quoted(&self.dir.join(CONFIG))),
        )
    }
}

/// A text as one word of a shell.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Every file, by its path in the folder.
fn files(name: &str, query: &str) -> Vec<(&'static str, String)> {
    let config = schema::json_schema(&keys::CONFIG, "groundswell.yaml", true);
    let rules = schema::json_schema(&FILE, "rule file of groundswell", false);
    let mut out =
        vec![(CONFIG, include_str!("groundswell.yaml").to_string()), ("rules/brands.yaml", brands(name, query))];
    out.extend(RULES.map(|(path, text)| (path, text.to_string())));
    out.push((".schema/groundswell.schema.json", format!("{config:#}\n")));
    out.push((".schema/rules.schema.json", format!("{rules:#}\n")));
    let tests = schema::json_schema(&TESTS, "tests of rules of groundswell", false);
    out.push((".schema/tests.schema.json", format!("{tests:#}\n")));
    out.push(("README.md", include_str!("README.md").to_string()));
    out
}

fn brands(name: &str, query: &str) -> String {
    // a name may hold what stands for another place: each line is filled once
    let fill = |line: &str| {
        let places = [("{KEY}", key(name)), ("{NAME}", quoted(name)), ("{QUERY}", quoted(query))];
        let found = places.iter().find(|(place, _)| line.contains(place));
        found.map_or(line.to_string(), |(place, text)| line.replacen(place, text, 1)) + "\n"
    };
    include_str!("brands.yaml").lines().map(fill).collect()
}

/// A text of one line as YAML takes it, whatever it holds.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A brand's key: letters and digits of its name, with `_` between words.
fn key(name: &str) -> String {
    let mut out = String::new();
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()) {
        if !out.is_empty() {
            out.push('_');
        }
        out.push_str(&word.to_ascii_lowercase());
    }
    out.truncate(60);
    let out = out.trim_end_matches('_');
    // a bare `null` would be nothing
    if matches!(out, "" | "null") { "brand".to_string() } else { out.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rule::{RuleSet, SourceText};

    #[test]
    fn names_and_queries_of_any_kind_stay_what_they_are() {
        for name in ["Acme", "it's \"it\": #1 {a} [b] & * ! | > % @ `", "航空", "{QUERY}", "- x", "null", "\\"] {
            let query = format!("acme OR '{name}'").replace('"', " ").replace(['(', ')', '\\'], " ");
            let query = if one_query::mistake(&query).is_none() { query } else { "\"it's\" OR #acme".to_string() };
            let text = brands(name, &query);
            let (set, warnings) = RuleSet::load(&[SourceText { file: "b".into(), text: text.clone() }]).unwrap();
            assert_eq!((set.brands.len(), warnings.len()), (1, 0), "{text}");
            assert_eq!(set.brands[0].name, name, "{text}");
        }
    }

    #[test]
    fn keys_are_made_of_names() {
        assert_eq!(key("Acme Corp."), "acme_corp");
        assert_eq!((key("航空"), key("Ünited -- 3")), ("brand".into(), "nited_3".into()));
        assert!(key(&"ab ".repeat(100)).len() <= 60);
    }

    #[test]
    fn paths_are_words_of_a_shell() {
        assert_eq!(
            (shell("a/b.yaml"), shell("a b"), shell("it's")),
            ("a/b.yaml".into(), "'a b'".into(), r"'it'\''s'".into())
        );
    }

    #[test]
    fn texts_have_one_line() {
        assert_eq!(line(" a b "), Ok("a b".into()));
        assert!(["", " ", "a\nb", "a\u{2028}b", "\u{1b}[31m"].iter().all(|t| line(t).is_err()));
    }

    #[test]
    fn all_shipped_rules_are_among_them() {
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
        let shipped = fs::read_dir(here).unwrap().filter(|e| {
            let name = e.as_ref().unwrap().file_name().into_string().unwrap();
            name.ends_with(".yaml")
        });
        assert_eq!(shipped.count(), RULES.len());
    }
}
