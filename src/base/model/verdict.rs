//! What people say an incident was, once it is over for them.

/// What it was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Verdict {
    /// Worth being told.
    Real,
    /// Not worth it.
    FalseAlarm,
    /// Nobody said.
    #[default]
    Unsaid,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Verdict; 3] = [Verdict::Real, Verdict::FalseAlarm, Verdict::Unsaid];

    /// The word used in orders and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Real => "real",
            Verdict::FalseAlarm => "false_alarm",
            Verdict::Unsaid => "unsaid",
        }
    }

    /// The words people read; nothing where nobody said.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Real => "a real case",
            Verdict::FalseAlarm => "a false alarm",
            Verdict::Unsaid => "",
        }
    }

    /// The verdict of that name.
    pub fn parse(name: &str) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|v| v.name() == name)
    }
}
