//! The series a rule reads: a measure of selected posts, over a window, now or in the past, or
//! compared with its own past.

use std::fmt;

use super::{Compare, Measure, Unit};
use crate::base::figures;
use crate::base::model::Level;
use crate::base::time::Span;

/// What a selector looks at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// negative, neutral, positive, unknown.
    Tone,
    /// Name of the source.
    Source,
    /// post, reply, quote, repost.
    Kind,
    /// Language as given, without region.
    Lang,
    /// What it complains about.
    Cause,
    /// Whether it answers or quotes one of the brand's own accounts; only `own`.
    To,
    /// The author: `source:id`, an id or a name, or a list.
    Author,
    /// The author's followers; what is not known passes no comparison.
    Followers,
    /// Another brand: its posts are counted instead.
    Brand,
}

impl Field {
    /// All fields.
    pub const ALL: [Field; 9] = [
        Field::Tone,
        Field::Source,
        Field::Kind,
        Field::Lang,
        Field::Cause,
        Field::To,
        Field::Author,
        Field::Followers,
        Field::Brand,
    ];

    /// The word used in rules.
    pub fn name(self) -> &'static str {
        match self {
            Field::Tone => "tone",
            Field::Source => "source",
            Field::Kind => "kind",
            Field::Lang => "lang",
            Field::Cause => "cause",
            Field::To => "to",
            Field::Author => "author",
            Field::Followers => "followers",
            Field::Brand => "brand",
        }
    }
}

/// What a selector compares with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Operand {
    /// A text.
    Text(String),
    /// A whole number.
    Number(u64),
    /// `vars.name`, the brand's value.
    Var(String),
    /// `lists.name`: one of its authors.
    List(String),
}

/// One condition on the posts that count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Selector {
    /// What is looked at.
    pub field: Field,
    /// How it is compared; `in` is [`Compare::Equal`] with a list.
    pub op: Compare,
    /// What it is compared with.
    pub value: Operand,
}

/// What is asked of a measure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum View {
    /// Its value over a window (of a story measure: over its life).
    Value,
    /// How rare it is against its own past: a return period.
    Rarity,
    /// How many times usual it is, over both scales.
    Lift,
    /// The same over 15 minutes.
    LiftShort,
    /// The same over an hour.
    LiftLong,
    /// What a story will have come to once the window is over, from now.
    Forecast(Level),
    /// What is usual an hour, at this hour of the day.
    Usual,
}

/// A measure of the posts that pass all selectors.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SeriesSpec {
    /// What is measured.
    pub measure: Measure,
    /// Selectors, sorted and without repeats.
    pub selectors: Vec<Selector>,
    /// The window; zero where the view needs none.
    pub window: Span,
    /// How long ago; zero is now.
    pub offset: Span,
    /// What is asked.
    pub view: View,
}

/// Most values recorded of a series for its past.
const STEPS: i64 = 1440;

impl SeriesSpec {
    /// Whether it tells of a story, and of nothing else.
    pub fn is_of_story(&self) -> bool {
        self.measure.is_of_story() || matches!(self.view, View::Forecast(_))
    }

    /// Whether it is true or false by itself.
    pub fn is_condition(&self) -> bool {
        self.measure == Measure::NewTerm
    }

    /// Whether it is compared with its own past.
    pub fn has_baseline(&self) -> bool {
        !matches!(self.view, View::Value | View::Forecast(_))
    }

    /// Whether posts of a network can count, by its selectors.
    pub fn counts_source(&self, network: &str) -> bool {
        let of_source = self.selectors.iter().filter(|s| s.field == Field::Source);
        let passes = |s: &Selector| (s.value == Operand::Text(network.to_string())) == (s.op != Compare::Unequal);
        of_source.into_iter().all(passes)
    }

    /// Length of the window's panes: a sixtieth of it, at least one second.
    pub fn pane(&self) -> Span {
        Span((self.window.0 / 60).max(1_000_000))
    }

    /// How often its past is recorded: at pane ends, at most 1440 times in the offset.
    pub fn step(&self) -> Span {
        let pane = self.pane().0;
        Span(pane * (self.offset.0 / STEPS / pane + 1))
    }

    /// The same, as it is now.
    pub fn now(&self) -> SeriesSpec {
        SeriesSpec { offset: Span::ZERO, ..self.clone() }
    }

    /// Whether its values are durations.
    pub fn is_duration(&self) -> bool {
        self.view == View::Rarity || (self.view == View::Value && self.measure.prints_as() == Unit::Duration)
    }

    /// What it is called in a message.
    pub fn label(&self) -> String {
        match self.view {
            View::Value => self.measure.label().to_string(),
            View::Rarity => format!("rarity of {}", self.measure.label()),
            View::Usual if self.measure.is_mass() => format!("usual {} an hour", self.measure.label()),
            View::Usual => format!("usual {}", self.measure.label()),
            View::Forecast(level) => {
                format!("{} forecast for {}, {}", self.measure.label(), window(self.window), level.name())
            }
            _ => format!("lift of {}", self.measure.label()),
        }
    }

    /// A value of it, for people.
    pub fn show(&self, value: f64) -> String {
        match self.view {
            View::Value | View::Forecast(_) | View::Usual => self.measure.show(value),
            View::Rarity => figures::return_period(value),
            _ => figures::times(value),
        }
    }

    /// Its unit in a message.
    pub fn unit(&self) -> &'static str {
        if matches!(self.view, View::Value | View::Forecast(_) | View::Usual) { self.measure.unit() } else { "" }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Text(t) => write!(f, "\"{t}\""),
            Operand::Number(n) => write!(f, "{n}"),
            Operand::Var(v) => write!(f, "vars.{v}"),
            Operand::List(l) => write!(f, "lists.{l}"),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.op {
            Compare::Equal => "=",
            op => op.sign(),
        };
        match (&self.value, self.op) {
            (Operand::List(_), Compare::Unequal) => write!(f, "{} not in {}", self.field.name(), self.value),
            (Operand::List(_), _) => write!(f, "{} in {}", self.field.name(), self.value),
            _ => write!(f, "{}{sign}{}", self.field.name(), self.value),
        }
    }
}

impl fmt::Display for SeriesSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let View::Forecast(level) = self.view {
            return write!(f, "forecast({}, {}, {})", self.measure.name(), window(self.window), level.name());
        }
        if self.is_condition() {
            return write!(f, "{}({})", self.measure.name(), window(self.window));
        }
        let function = match self.view {
            View::Value | View::Forecast(_) => "",
            View::Rarity => "rarity(",
            View::Lift | View::LiftShort | View::LiftLong => "lift(",
            View::Usual => "usual(",
        };
        write!(f, "{function}{}", self.measure.name())?;
        if !self.selectors.is_empty() {
            let shown: Vec<String> = self.selectors.iter().map(Selector::to_string).collect();
            write!(f, "{{{}}}", shown.join(", "))?;
        }
        if self.window > Span::ZERO {
            write!(f, "[{}]", window(self.window))?;
        }
        if self.offset > Span::ZERO {
            write!(f, " offset {}", window(self.offset))?;
        }
        match self.view {
            View::Value | View::Forecast(_) => Ok(()),
            View::Rarity | View::Lift | View::Usual => write!(f, ")"),
            View::LiftShort => write!(f, ", 15m)"),
            View::LiftLong => write!(f, ", 1h)"),
        }
    }
}

/// A span in the largest unit that divides it, as rules write windows.
pub(super) fn window(s: Span) -> String {
    let units = [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s")];
    match units.iter().find(|(unit, _)| s.0 % unit == 0) {
        Some((unit, name)) => format!("{}{name}", s.0 / unit),
        None => format!("{}ms", s.0 / 1000),
    }
}
