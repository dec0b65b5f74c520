//! `reference`: what there is, made of the types themselves.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::output::{is_closed, tell_error};
use super::{FAILED, FINE};
use crate::app::config::{keys::CONFIG, schema};
use crate::base::keys::Table;
use crate::base::metric::{ALL, Kind, Metric, OF_PROCESS};
use crate::base::rule::Dim;
use crate::base::rule::expr::{Field, Form, Measure};
use crate::base::rule::guide::{FUNCTIONS, Line, OPERATORS, QUERY};
use crate::base::rule::keys::FILE;

/// Print a reference: keys of files, the languages of queries and conditions, measures, metrics
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell reference measures          what conditions can count, with units\n  \
                        groundswell reference expression        measures, selectors, functions, operators\n  \
                        groundswell reference query             what queries can look for\n  \
                        groundswell reference rules             keys of rule files\n  \
                        groundswell reference metrics           a table in Markdown, as in docs/operating.md\n  \
                        groundswell reference metrics --json    for programs"
)]
pub(super) struct Reference {
    /// Of what
    #[arg(value_enum)]
    of: Of,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// Keys of groundswell.yaml
    Config,
    /// Keys of rule files
    Rules,
    /// What queries can look for
    Query,
    /// What conditions are made of: measures, selectors, functions, operators
    Expression,
    /// What conditions can count
    Measures,
    /// What is served at /metrics
    Metrics,
}

impl Reference {
    pub(super) fn run(&self) -> u8 {
        let text = if self.json { format!("{:#}\n", as_json(self.of)) } else { markdown(self.of) };
        match io::stdout().write_all(text.as_bytes()) {
            Err(e) if !is_closed(&e) => {
                tell_error(format!("expected an output that takes more, found {e}"));
                FAILED
            }
            _ => FINE,
        }
    }
}

fn markdown(of: Of) -> String {
    match of {
        Of::Config => schema::markdown(&CONFIG),
        Of::Rules => schema::markdown(&FILE),
        Of::Query => lines("finds", &QUERY),
        Of::Expression => {
            let parts = [by(), measures(), selectors(), lines("is", &FUNCTIONS), lines("means", &OPERATORS)];
            parts.join("\n")
        }
        Of::Measures => measures(),
        Of::Metrics => metrics_table(),
    }
}

fn as_json(of: Of) -> Json {
    let keys = |root: &'static Table| -> Json {
        let each = schema::tables(root).into_iter().flat_map(|t| t.keys.iter().map(move |k| (t, k)));
        each.map(|(t, k)| {
            let value = schema::shown(&k.kind);
            json!({"of": t.name, "key": k.name, "value": value, "default": k.default, "means": k.help})
        })
        .collect()
    };
    let told = |lines: &[Line]| -> Json {
        lines.iter().map(|l| json!({"write": l.write, "example": l.example, "means": l.means})).collect()
    };
    match of {
        Of::Config => keys(&CONFIG),
        Of::Rules => keys(&FILE),
        Of::Query => told(&QUERY),
        Of::Expression => json!({
            "by": Dim::ALL.map(|d| json!({"dimension": d.name(), "means": d.means()})),
            "measures": measures_json(),
            "selectors": Field::ALL.map(|f| {
                json!({"selector": f.name(), "values": f.values(), "example": f.example(), "means": f.means()})
            }),
            "functions": told(&FUNCTIONS),
            "operators": told(&OPERATORS),
        }),
        Of::Measures => measures_json(),
        Of::Metrics => metrics_json(),
    }
}

/// `|` would end a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn lines(means: &str, lines: &[Line]) -> String {
    let mut out = format!("| write | {means} | example |\n|---|---|---|\n");
    for l in lines {
        let write = spoken(l.write);
        out.push_str(&format!("| {} | {} | `{}` |\n", cell(&write), cell(l.means), cell(l.example)));
    }
    out
}

/// Alternatives, each in its own quotes; commas inside of parentheses belong to one.
fn spoken(write: &str) -> String {
    let (mut out, mut depth) = (vec![String::new()], 0i32);
    for c in write.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        match c {
            ',' if depth == 0 => out.push(String::new()),
            c => out.iter_mut().last().into_iter().for_each(|o| o.push(c)),
        }
    }
    out.iter().map(|o| format!("`{}`", o.trim())).collect::<Vec<_>>().join(", ")
}

fn by() -> String {
    let mut out = String::from("| `by` | evaluated for |\n|---|---|\n");
    for d in Dim::ALL {
        out.push_str(&format!("| `{}` | {} |\n", d.name(), d.means()));
    }
    out
}

fn selectors() -> String {
    let mut out = String::from("| selector | values | example | counts |\n|---|---|---|---|\n");
    for f in Field::ALL {
        let (name, values) = (f.name(), cell(&f.values()));
        out.push_str(&format!("| `{name}` | {values} | `{}` | {} |\n", cell(f.example()), f.means()));
    }
    out
}

/// How a measure is written.
fn written(m: Measure) -> String {
    match m.form() {
        Form::Windowed => format!("{}[10m]", m.name()),
        Form::Selected | Form::OfStory | Form::OfBrand => m.name().to_string(),
        Form::OfTag => format!("{}(30d)", m.name()),
    }
}

/// Where a measure can be read.
fn place(m: Measure) -> &'static str {
    match m.form() {
        Form::Windowed | Form::OfBrand => "anywhere",
        Form::Selected => "not by story",
        Form::OfStory => "by story",
        Form::OfTag => "by tag",
    }
}

fn measures() -> String {
    let mut out = String::from(
        "| measure | unit | distinct or summed | over nothing | what is not known | where | tells |\n|---|---|---|---|---|---|---|\n",
    );
    for m in Measure::ALL {
        let a = m.about();
        let row = [a.unit, a.taken, a.nothing, a.unknowns, place(m), a.means].map(cell).join(" | ");
        out.push_str(&format!("| `{}` | {row} |\n", written(m)));
    }
    out
}

fn measures_json() -> Json {
    let one = |m: Measure| {
        let a = m.about();
        json!({
            "measure": m.name(), "write": written(m), "where": place(m), "unit": a.unit, "taken": a.taken,
            "over_nothing": a.nothing, "unknowns": a.unknowns, "means": a.means,
        })
    };
    Measure::ALL.into_iter().map(one).collect()
}

fn metrics_json() -> Json {
    let one = |m: &Metric| {
        json!({
            "name": m.name,
            "type": m.kind.name(),
            "unit": m.unit.name(),
            "labels": m.labels,
            "most_lines": m.lines(),
            "help": m.help,
        })
    };
    let process = OF_PROCESS.iter().map(|(name, help)| {
        let kind = if name.ends_with("_total") { Kind::Counter } else { Kind::Gauge };
        json!({ "name": name, "type": kind.name(), "labels": [], "most_lines": 1, "help": help })
    });
    ALL.iter().map(one).chain(process).collect()
}

/// All metrics as a table in Markdown.
fn metrics_table() -> String {
    let mut out = String::from("| metric | type | unit | means |\n|---|---|---|---|\n");
    for m in ALL {
        let labels = if m.labels.is_empty() { String::new() } else { format!("{{{}}}", m.labels.join(",")) };
        let (name, kind, unit) = (m.name, m.kind.name(), m.unit.name());
        out.push_str(&format!("| `{name}{labels}` | {kind} | {unit} | {} |\n", m.help));
    }
    for (name, help) in OF_PROCESS {
        let kind = if name.ends_with("_total") { Kind::Counter } else { Kind::Gauge };
        out.push_str(&format!("| `{name}` | {} | | {help} |\n", kind.name()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::metric::{Queue, Stage};

    #[test]
    fn the_docs_hold_the_table_of_metrics() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operating.md");
        let docs = std::fs::read_to_string(path).unwrap();
        let table = metrics_table();
        if std::env::var_os("UPDATE_DOCS").is_some() && !docs.contains(&table) {
            let from = docs.find("| metric | type | unit | means |").expect("a place for the table");
            let to = from + docs[from..].find("\n\n").unwrap() + 1;
            std::fs::write(path, format!("{}{table}{}", &docs[..from], &docs[to..])).unwrap();
            return;
        }
        assert!(docs.contains(&table), "UPDATE_DOCS=1 writes it anew");
        for word in Stage::ALL.map(Stage::name).into_iter().chain(Queue::ALL.map(Queue::name)) {
            assert!(docs.contains(&format!("`{word}`")), "{word} is explained");
        }
    }

    /// What stands in a file between `<!-- NAME -->` and `<!-- end -->`.
    fn holds(path: &str, name: &str, wanted: &str) {
        let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
        let docs = std::fs::read_to_string(&path).unwrap();
        let mark = format!("<!-- {name} -->\n");
        let from = docs.find(&mark).unwrap_or_else(|| panic!("{path} has no place for {name}")) + mark.len();
        let to = from + docs[from..].find("<!-- end -->").unwrap();
        if docs[from..to] == *wanted {
            return;
        }
        assert!(std::env::var_os("UPDATE_DOCS").is_some(), "{name}: UPDATE_DOCS=1 writes it anew");
        std::fs::write(&path, format!("{}{wanted}{}", &docs[..from], &docs[to..])).unwrap();
    }

    #[test]
    fn the_rules_readme_holds_what_the_types_say() {
        let page = "rules/README.md";
        holds(page, "rules", &markdown(Of::Rules));
        holds(page, "query", &lines("finds", &QUERY));
        holds(page, "by", &by());
        holds(page, "measures", &measures());
        holds(page, "selectors", &selectors());
        holds(page, "functions", &lines("is", &FUNCTIONS));
        holds(page, "operators", &lines("means", &OPERATORS));
    }

    #[test]
    fn programs_get_the_same_as_people() {
        let of = |of| as_json(of);
        assert_eq!(of(Of::Measures).as_array().map(Vec::len), Some(Measure::ALL.len()));
        assert_eq!(of(Of::Query).as_array().map(Vec::len), Some(QUERY.len()));
        assert_eq!(of(Of::Expression)["selectors"].as_array().map(Vec::len), Some(Field::ALL.len()));
        assert!(of(Of::Rules).as_array().unwrap().iter().any(|k| k["key"] == "keep_firing_for" && k["of"] == "rule"));
        assert!(of(Of::Config).as_array().unwrap().iter().any(|k| k["key"] == "sources"));
        for what in [Of::Config, Of::Rules, Of::Query, Of::Expression, Of::Measures, Of::Metrics] {
            let text = markdown(what);
            let columns = |l: &str| l.replace("\\|", "").matches('|').count();
            let rows: Vec<&str> = text.lines().filter(|l| l.starts_with('|')).collect();
            assert!(rows.windows(2).all(|w| columns(w[0]) == columns(w[1]) || w[1].starts_with("| ")), "{text}");
        }
    }

    #[test]
    fn programs_get_every_metric() {
        let all = metrics_json();
        assert_eq!(all.as_array().map(Vec::len), Some(ALL.len() + OF_PROCESS.len()));
        assert!(all.as_array().unwrap().iter().all(|m| m["help"].as_str().is_some_and(|h| !h.is_empty())));
    }
}
