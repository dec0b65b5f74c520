//! JSON Schemas and a reference in Markdown, made of the tables of keys that readers use.

use serde_json::{Map, Value, json};

use crate::base::keys::{Key, Kind, Table};
use crate::base::rule::Dim;

/// A text that holds an environment variable.
const VARIABLE: &str = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}";
const SPAN: &str = r"^(0|(\d+\.?\d*|\.\d+)(ms|s|m|h|d|w))$";
const SIZE: &str = r"^(\d+\.?\d*|\.\d+) *([kKmMgGtTpP][iI]?)?[bB]$";
const NUMBER: &str = r"^(\d+\.?\d*|\.\d+)([kKM%]|ms|s|m|h|d|w)?$";
const POINTER: &str = "^/([^~]|~[01])*$";
const ADDRESS: &str = r":\d{1,5}$";

/// A table and all below it, each once, in the order they are named.
pub fn tables(root: &'static Table) -> Vec<&'static Table> {
    let mut out = Vec::new();
    gather(root, &mut out);
    out
}

fn gather(table: &'static Table, out: &mut Vec<&'static Table>) {
    if out.iter().any(|t| t.name == table.name) {
        return;
    }
    out.push(table);
    table.keys.iter().for_each(|k| gather_kind(&k.kind, out));
}

fn gather_kind(kind: &'static Kind, out: &mut Vec<&'static Table>) {
    match kind {
        Kind::Table(t) | Kind::List(t) => gather(t, out),
        Kind::Many(k) | Kind::Named(_, k) => gather_kind(k, out),
        Kind::Either(kinds) => kinds.iter().for_each(|k| gather_kind(k, out)),
        Kind::Typed(tables) => tables.iter().for_each(|(_, t)| gather(t, out)),
        _ => {}
    }
}

/// The JSON Schema (2020-12) of files whose top is this table. `variables`: values may hold
/// `${NAME}`.
pub fn json_schema(root: &'static Table, title: &str, variables: bool) -> Value {
    let maker = Maker { variables };
    let mut definitions = Map::new();
    for table in tables(root).into_iter().skip(1) {
        definitions.insert(table.name.to_string(), maker.table(table));
    }
    let mut out = maker.table(root);
    if let Value::Object(map) = &mut out {
        map.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        map.insert("title".into(), title.into());
        map.insert("$defs".into(), Value::Object(definitions));
    }
    out
}

/// The schema of rule files: that of their keys, and what holds between keys of a rule.
pub fn rules_schema(root: &'static Table, title: &str) -> Value {
    let mut out = json_schema(root, title, false);
    let mut set = |pointer: &str, key: &str, value: Value| {
        if let Some(Value::Object(map)) = out.pointer_mut(pointer) {
            map.insert(key.into(), value);
        }
    };
    let between = json!([
        {"oneOf": [{"required": ["when"]}, {"required": ["levels"]}]},
        {
            "if": {"required": ["when"]},
            "then": {"required": ["severity"]},
            "else": {"not": {"required": ["severity"]}},
        },
    ]);
    set("/$defs/rule", "allOf", between);
    set("/$defs/levels", "minProperties", json!(1));
    let whole = json!({"enum": ["brand", "group"]});
    let items = json!({"enum": Dim::ALL.map(Dim::name)});
    let list = json!({"type": "array", "items": items, "uniqueItems": true, "contains": whole, "maxContains": 1});
    set("/$defs/rule/properties/by", "anyOf", json!([whole, list]));
    // a mapping that is begun, with nothing in it yet
    for pointer in [
        "/properties/vars",
        "/properties/lists",
        "/properties/groups",
        "/properties/brands",
        "/$defs/brand/properties/vars",
        "/$defs/group/properties/vars",
        "/$defs/group/properties/labels",
        "/$defs/rule/properties/let",
    ] {
        set(pointer, "type", json!(["object", "null"]));
    }
    out
}

struct Maker {
    variables: bool,
}

impl Maker {
    fn table(&self, table: &'static Table) -> Value {
        let (mut properties, mut needed, mut either) = (Map::new(), Vec::new(), Vec::new());
        for key in table.keys {
            properties.insert(key.name.into(), self.property(key));
            let Some(file) = key.file() else {
                needed.extend(key.is_needed().then_some(key.name));
                continue;
            };
            let help = format!("Path of a file that holds `{}`, relative to the config.", key.name);
            properties.insert(file.into(), json!({"description": help, "type": "string"}));
            either.push(if key.is_needed() {
                json!({"oneOf": [{"required": [key.name]}, {"required": [file]}]})
            } else {
                json!({"not": {"required": [key.name, file]}})
            });
        }
        let mut out = json!({"type": "object", "additionalProperties": false, "properties": properties});
        if let Value::Object(map) = &mut out {
            if !needed.is_empty() {
                map.insert("required".into(), json!(needed));
            }
            if !either.is_empty() {
                map.insert("allOf".into(), Value::Array(either));
            }
        }
        out
    }

    fn property(&self, key: &'static Key) -> Value {
        let mut out = self.kind(&key.kind);
        let default = if key.is_needed() { "Needed.".to_string() } else { format!("Default: {}.", key.default) };
        let mut help = key.help.chars();
        let first = help.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        if let Value::Object(map) = &mut out {
            map.insert("description".into(), format!("{first}{}. {default}", help.as_str()).into());
        }
        out
    }

    fn kind(&self, kind: &'static Kind) -> Value {
        match kind {
            Kind::Text | Kind::Secret(_) => json!({"type": ["string", "number"]}),
            Kind::Word(words) => self.or_variable(json!({"enum": spellings(words)})),
            Kind::Switch => self.or_variable(json!({"type": "boolean"})),
            Kind::Span => self.or_variable(json!({"anyOf": [{"type": "string", "pattern": SPAN}, {"const": 0}]})),
            Kind::Size => self.or_variable(json!({"type": "string", "pattern": SIZE})),
            Kind::Number => json!({"type": ["string", "number"], "pattern": NUMBER, "minimum": 0}),
            Kind::Pointer => self.or_variable(json!({"type": "string", "pattern": POINTER})),
            Kind::Address => self.or_variable(json!({"type": "string", "pattern": ADDRESS})),
            Kind::Many(one) => {
                let one = self.kind(one);
                json!({"anyOf": [one, {"type": "array", "items": one}]})
            }
            Kind::Either(kinds) => json!({"anyOf": kinds.iter().map(|k| self.kind(k)).collect::<Vec<_>>()}),
            Kind::Table(table) => reference(table),
            Kind::List(table) => json!({"type": "array", "items": reference(table)}),
            Kind::Named("", of) => json!({"type": "object", "additionalProperties": self.kind(of)}),
            Kind::Named(pattern, of) => {
                json!({"type": "object", "propertyNames": {"pattern": pattern}, "additionalProperties": self.kind(of)})
            }
            Kind::Typed(tables) => {
                let names: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
                let each = tables.iter().map(
                    |(name, table)| json!({"if": {"properties": {"type": {"const": name}}}, "then": reference(table)}),
                );
                json!({
                    "type": "object",
                    "required": ["type"],
                    "properties": {"type": {"enum": names}},
                    "allOf": each.collect::<Vec<_>>(),
                })
            }
        }
    }

    /// What has a form of its own may also be an environment variable.
    fn or_variable(&self, schema: Value) -> Value {
        if !self.variables {
            return schema;
        }
        json!({"anyOf": [schema, {"type": "string", "pattern": VARIABLE}]})
    }
}

fn reference(table: &Table) -> Value {
    json!({"$ref": format!("#/$defs/{}", table.name)})
}

/// The words, and what parsers of YAML make of some when they are not in quotes.
fn spellings(words: &[&str]) -> Vec<Value> {
    let mut out: Vec<Value> = words.iter().map(|w| json!(w)).collect();
    for word in words {
        match *word {
            "off" => out.push(json!(false)),
            word => out.extend(word.parse::<u32>().map(|n| json!(n))),
        }
    }
    out
}

/// A table of keys for each mapping.
pub fn markdown(root: &'static Table) -> String {
    let mut out = String::new();
    for table in tables(root) {
        out.push_str(&format!("Keys {}:\n\n| key | value | default | means |\n|---|---|---|---|\n", table.title));
        for key in table.keys {
            let name = match key.file() {
                Some(file) => format!("`{}` or `{file}`", key.name),
                None => format!("`{}`", key.name),
            };
            out.push_str(&format!("| {name} | {} | {} | {} |\n", shown(&key.kind), key.default, key.help));
        }
        out.push('\n');
    }
    out
}

/// What a value may be, for people.
pub fn shown(kind: &Kind) -> String {
    let words = |words: &[&str]| words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
    match kind {
        Kind::Text => "text".into(),
        Kind::Secret(_) => "secret".into(),
        Kind::Word(one) => words(one),
        Kind::Switch => "true or false".into(),
        Kind::Span => "duration".into(),
        Kind::Size => "size".into(),
        Kind::Number => "number or duration".into(),
        Kind::Pointer => "JSON pointer".into(),
        Kind::Address => "address:port".into(),
        Kind::Many(Kind::Text) => "one or more texts".into(),
        Kind::Many(one) => format!("one or more of {}", shown(one)),
        Kind::Either(kinds) => kinds.iter().map(shown).collect::<Vec<_>>().join(", or "),
        Kind::Table(_) => "mapping".into(),
        Kind::List(_) => "list of mappings".into(),
        Kind::Named(_, one) => match one {
            Kind::Table(_) | Kind::Typed(_) => "mappings by name".into(),
            one => format!("names, each with {}", shown(one)),
        },
        Kind::Typed(tables) => words(&tables.iter().map(|(name, _)| *name).collect::<Vec<_>>()),
    }
}
