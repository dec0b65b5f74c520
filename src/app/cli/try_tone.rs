//! `try tone`: how hostile are these texts?

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::lines::answer_each;
use crate::base::model::{Cause, Negativity, Tone};
use crate::enrich::{causes, negativity};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Model {
    /// Word strengths and rules of VADER 3.3.2; adds compound, neg, neu and pos
    Vader,
}

/// Try the scorer: a text a line on standard input, a line of JSON each on standard output
///
/// negativity is 0..1 with the cut between hostile and not at 0.5, and null where the language is
/// not known to be English.
#[derive(Args)]
#[command(after_help = "Examples:\n  echo 'worst airline ever, never again' | groundswell try tone\n  \
                  groundswell try tone --model vader < texts.txt\n  groundswell try tone --lang en < texts.txt")]
pub(super) struct TryTone {
    /// The scorer; its own figures are printed beside ours
    #[arg(long, value_enum)]
    model: Option<Model>,
    /// The language of all lines, as posts name it; by default each text is looked at
    #[arg(long, value_name = "CODE")]
    lang: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    negativity: Option<f64>,
    tone: &'static str,
    causes: Vec<&'static str>,
    lang: Option<&'a str>,
    #[serde(flatten)]
    vader: Option<Figures>,
}

#[derive(Serialize)]
struct Figures {
    compound: f64,
    neg: f64,
    neu: f64,
    pos: f64,
}

impl From<negativity::Polarity> for Figures {
    fn from(p: negativity::Polarity) -> Figures {
        Figures { compound: p.compound, neg: p.negative, neu: p.neutral, pos: p.positive }
    }
}

impl TryTone {
    pub(super) fn run(&self) -> u8 {
        answer_each(|text| {
            let s = negativity::look(text, self.lang.as_deref());
            let causes = causes::of(text, s.n).iter().filter(|_| s.n.is_some()).map(Cause::name).collect();
            let negativity = s.n.map(Negativity::as_unit);
            let vader = (self.model == Some(Model::Vader)).then(|| Figures::from(negativity::polarity(text)));
            let line = Line { negativity, tone: Tone::of(s.n).name(), causes, lang: s.lang, vader };
            serde_json::to_string(&line).unwrap_or_default()
        })
    }
}
