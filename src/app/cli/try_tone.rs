//! `try tone`: how hostile are these texts?

use clap::{Args, ValueEnum};
use serde_json::json;

use super::lines::answer_each;
use crate::base::model::{Negativity, Tone};
use crate::enrich::negativity;

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

impl TryTone {
    pub(super) fn run(&self) -> u8 {
        answer_each(|text| {
            let s = negativity::look(text, self.lang.as_deref());
            let mut line = json!({
                "negativity": s.n.map(Negativity::as_unit),
                "tone": Tone::of(s.n).name(),
                "causes": [],
                "lang": s.lang,
            });
            if self.model == Some(Model::Vader) {
                let p = negativity::polarity(text);
                line["compound"] = json!(p.compound);
                line["neg"] = json!(p.negative);
                line["neu"] = json!(p.neutral);
                line["pos"] = json!(p.positive);
            }
            line.to_string()
        })
    }
}
