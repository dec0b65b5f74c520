//! What came of tests as JUnit XML, as services that build software read it.

use std::fmt::Write;
use std::time::Duration;

use super::expect::Report;

/// A test as JUnit tells it.
pub struct Case<'c> {
    /// Its name.
    pub name: &'c str,
    /// What came of it.
    pub report: &'c Report,
}

/// A file of tests.
pub struct Suite<'c> {
    /// Its name.
    pub name: &'c str,
    /// Its tests.
    pub cases: Vec<Case<'c>>,
    /// Why it could not be read, where that is so.
    pub broken: Option<String>,
}

/// All of them, as one document.
pub fn document(suites: &[Suite]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"groundswell\">\n");
    for s in suites {
        let failed = s.cases.iter().filter(|c| !c.report.failures.is_empty()).count();
        let broken = usize::from(s.broken.is_some());
        let took: Duration = s.cases.iter().map(|c| c.report.took).sum();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"{broken}\" time=\"{:.3}\">",
            escaped(s.name),
            s.cases.len() + broken,
            took.as_secs_f64()
        );
        for c in &s.cases {
            case(&mut out, s.name, c);
        }
        if let Some(why) = &s.broken {
            let (name, why) = (escaped(s.name), escaped(why));
            let _ = writeln!(
                out,
                "    <testcase classname=\"{name}\" name=\"the file\" time=\"0\">\n      <error message=\"the file has mistakes\">{why}</error>\n    </testcase>"
            );
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(out: &mut String, suite: &str, c: &Case) {
    let (suite, name) = (escaped(suite), escaped(c.name));
    let _ =
        write!(out, "    <testcase classname=\"{suite}\" name=\"{name}\" time=\"{:.3}\"", c.report.took.as_secs_f64());
    if c.report.failures.is_empty() {
        out.push_str("/>\n");
        return;
    }
    out.push_str(">\n");
    for f in &c.report.failures {
        let first = f.what.lines().next().unwrap_or("");
        let (message, text) = (escaped(first), escaped(&format!("{}: {}\n{}", f.place, f.what, f.picture)));
        let _ = writeln!(out, "      <failure message=\"{message}\">{text}</failure>");
    }
    out.push_str("    </testcase>\n");
}

/// A text that XML 1.0 takes, within attributes too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_texts_hold_it_is_one_document() {
        assert_eq!(escaped("a<b>&\"c\"\u{1b}[0m\u{0}\n"), "a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}[0m\u{fffd}\n");
        let broken = Some("x.yaml:1:1: error: <&>".to_string());
        let text = document(&[Suite { name: "a\"b", cases: Vec::new(), broken }]);
        assert!(text.contains("errors=\"1\"") && text.contains("&lt;&amp;&gt;") && text.contains("name=\"a&quot;b\""));
    }
}
