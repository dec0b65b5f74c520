//! What may stand in files that people write: one table of keys for each mapping. Readers take
//! their keys from it; the JSON Schema and the reference are made of it.

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text or a number.
    Text,
    /// A text that is not shown. A file may hold it instead; its path then stands under this key.
    Secret(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
    /// A duration such as `10m`, up to 8 days.
    Span,
    /// A number of bytes such as `10GB`.
    Size,
    /// A number or a duration: `5`, `40%`, `250k`, `10m`.
    Number,
    /// A JSON pointer.
    Pointer,
    /// An address and port.
    Address,
    /// A list of these, or a single one.
    Many(&'static Kind),
    /// One of these.
    Either(&'static [Kind]),
    /// A mapping with these keys.
    Table(&'static Table),
    /// A list of mappings with these keys.
    List(&'static Table),
    /// A mapping whose keys are names that match a pattern, to this.
    Named(&'static str, &'static Kind),
    /// A mapping whose key `type` says which keys the others are.
    Typed(&'static [(&'static str, &'static Table)]),
}

/// A key of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// What stands for it if it is left out; [`NEEDED`] if it may not be.
    pub default: &'static str,
    /// What it means, in a line.
    pub help: &'static str,
}

/// The keys of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name in the schema.
    pub name: &'static str,
    /// What it is and where it stands, for the reference.
    pub title: &'static str,
    /// Its keys, in the order they are told.
    pub keys: &'static [Key],
}

/// The default of a key that may not be left out.
pub const NEEDED: &str = "needed";

/// A key, in short.
pub const fn key(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Key {
    Key { name, kind, default, help }
}

impl Table {
    /// Every key that may stand in the mapping.
    pub fn allowed(&self) -> Vec<&'static str> {
        self.keys.iter().flat_map(|k| [Some(k.name), k.file()]).flatten().collect()
    }
}

impl Key {
    /// The key under which a file may stand that holds its value.
    pub fn file(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Secret(file) => Some(file),
            _ => None,
        }
    }

    /// Whether it may not be left out.
    pub fn is_needed(&self) -> bool {
        self.default == NEEDED
    }
}
