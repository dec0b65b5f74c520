//! YAML as a tree in which every node knows its place, and readers that report all mistakes.
//!
//! The syntax is read by a library; the tree is ours so that one pass can tell every mistake
//! with line and column. Aliases are refused: they make files that grow when read.

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as YamlSpan, StrInput};

use crate::base::fault::{Fault, Place, nearest};
use crate::base::figures;
use crate::base::limits;
use crate::base::time::Span;

/// A node of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Set for what may be a secret: mistakes do not show it.
    pub hidden: bool,
    /// Set for a text that something was put into after it was read.
    pub filled: bool,
    /// Its content.
    pub data: Data,
}

/// Content of a node.
#[derive(Clone, Debug)]
pub enum Data {
    /// A scalar, with the style it was written in.
    Scalar(String, Style),
    /// A list.
    Seq(Vec<Node>),
    /// Keys and values in the order written.
    Map(Vec<(Node, Node)>),
}

/// How a scalar was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// As a `|` block.
    Block,
    /// As a `>` block.
    Folded,
}

/// Reads the nodes of one file and gathers every mistake.
pub struct Reader<'s> {
    /// The file's name as given.
    pub file: Arc<str>,
    lines: Vec<Line<'s>>,
    /// Mistakes found so far.
    pub faults: Vec<Fault>,
    /// How many mistakes and how many warnings were left out, since as many as are shown were there.
    pub beyond: [usize; 2],
    warned: usize,
}

/// The fields of a mapping, by key.
pub type Fields<'n> = BTreeMap<&'n str, &'n Node>;

impl Node {
    /// The node as mistakes show it: the beginning of a text, or what it is.
    pub fn shown(&self) -> String {
        match &self.data {
            Data::Scalar(s, _) if self.hidden && !s.is_empty() => "a text that is not shown".to_string(),
            Data::Scalar(s, _) if s.is_empty() => "nothing".to_string(),
            Data::Scalar(s, _) => format!("`{}`", s.chars().take(40).collect::<String>()),
            Data::Seq(_) => "a list".to_string(),
            Data::Map(_) => "a mapping".to_string(),
        }
    }
}

impl<'s> Reader<'s> {
    /// A reader of one file's text.
    pub fn new(file: &str, text: &'s str) -> Reader<'s> {
        Reader {
            file: file.into(),
            lines: text.lines().map(Line::of).collect(),
            faults: Vec::new(),
            beyond: [0, 0],
            warned: 0,
        }
    }

    /// The file's tree; `None` for an empty file or broken syntax, which is then a fault.
    pub fn tree(&mut self, text: &str) -> Option<Node> {
        match build(text) {
            Ok(node) => node,
            Err((line, column, what)) => {
                let place = Place { file: self.file.clone(), line, column };
                let fault = Fault::at(place, what);
                let hint = match &fault.what {
                    w if w.contains("tabs") => Some("indent with spaces"),
                    w if !w.contains("found a mistake") || w.contains("unprintable") || w.contains("recursion") => None,
                    _ => Some("quote text that holds `: `, ` #`, or within { } and [ ] any of , [ ] { }"),
                };
                self.faults.push(Fault { hint: hint.map(str::to_string), ..fault });
                None
            }
        }
    }

    /// Where a node stands.
    pub fn place(&self, node: &Node) -> Place {
        Place { file: self.file.clone(), line: node.line, column: node.column }
    }

    /// Where the character at `offset` bytes of a scalar's text stands; exact for scalars on one
    /// line and for `|` blocks, the scalar's start otherwise.
    pub fn place_in(&self, node: &Node, offset: usize) -> Place {
        let mut place = self.place(node);
        // of what is not shown the place does not matter, and in a long line it costs
        if self.is_full() {
            return place;
        }
        let Data::Scalar(text, style) = &node.data else { return place };
        let before = text.get(..offset).unwrap_or(text);
        // a block ends with a line break: what is missing is missing before it
        let block = matches!(style, Style::Block | Style::Folded);
        let before = if block && offset >= text.len() { text.trim_end() } else { before };
        let start = match style {
            Style::Block => {
                let content = before.rsplit('\n').next().unwrap_or("");
                place.line += before.matches('\n').count();
                place.column += content.chars().count();
                return place;
            }
            Style::Folded => return self.place_in_folded(node, before),
            Style::Quoted => node.column,
            Style::Plain => node.column - 1,
        };
        let raw = node.line.checked_sub(1).and_then(|l| self.lines.get(l)).map_or("", |l| l.skipped(start));
        if raw.starts_with(before) {
            place.column = start + before.chars().count() + 1;
            return place;
        }
        if *style == Style::Plain { self.place_in_folded(node, before) } else { place }
    }

    /// What stands in a line from a column on, at most as much as reports show; both count from 1.
    pub fn rest_of(&self, line: usize, column: usize) -> String {
        let raw =
            line.checked_sub(1).and_then(|l| self.lines.get(l)).map_or("", |l| l.skipped(column.saturating_sub(1)));
        raw.chars().take(limits::EXCERPT_CHARS).collect()
    }

    /// The place after `before` in a text whose line breaks were folded to spaces.
    fn place_in_folded(&self, node: &Node, before: &str) -> Place {
        let mut left = before.chars().count();
        let mut place = self.place(node);
        for (row, raw) in self.lines.iter().enumerate().skip(node.line - 1) {
            let skip = if row + 1 == node.line { node.column - 1 } else { 0 };
            if raw.text.len() > limits::PLACED_BYTES {
                return self.place(node);
            }
            let shown: Vec<char> = raw.text.chars().skip(skip).collect();
            let indent = shown.iter().take_while(|c| c.is_whitespace()).count();
            let length = shown.len() - indent;
            (place.line, place.column) = (row + 1, skip + indent + 1 + left.min(length));
            if left <= length {
                break;
            }
            left -= length + 1;
        }
        place
    }

    /// Adds a mistake at a node.
    pub fn fault(&mut self, node: &Node, what: impl Into<String>) -> &mut Fault {
        // more than are shown need not be kept, but one, to be given out
        if self.is_full() {
            let left_out = self.faults.len() > limits::FAULTS + limits::FAULTS;
            self.beyond[0] += usize::from(left_out);
            self.faults.truncate(limits::FAULTS + limits::FAULTS);
        }
        self.faults.push(Fault::at(self.place(node), what));
        let last = self.faults.len() - 1;
        &mut self.faults[last]
    }

    /// Adds a mistake or warning, unless there are more of its kind than are shown. Warnings never take the place of
    /// mistakes.
    pub fn tell(&mut self, fault: Fault) {
        if fault.warning {
            self.warned += 1;
        }
        let room = if fault.warning { self.warned <= limits::FAULTS } else { !self.is_full() };
        if room {
            self.faults.push(fault);
        } else {
            self.beyond[usize::from(fault.warning)] += 1;
        }
    }

    /// Whether there are more mistakes than are shown.
    fn is_full(&self) -> bool {
        self.faults.len() >= limits::FAULTS + limits::FAULTS
    }

    /// The fields of a mapping. Unknown and repeated keys are mistakes.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &str, allowed: &[&str]) -> Fields<'n> {
        let mut out = Fields::new();
        for (key, value) in self.pairs(node, what) {
            let Some(name) = self.key(key) else { continue };
            if !allowed.contains(&name) {
                let near = if self.is_full() { None } else { nearest(name, allowed.iter().copied()) };
                let hint = match near {
                    _ if matches!(name, "include" | "includes" | "import" | "imports") => {
                        "files do not name each other; give all of them, or their folder".to_string()
                    }
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known keys: {}", allowed.join(", ")),
                };
                self.fault(key, format!("expected a key of {what}, found {}", key.shown())).hint = Some(hint);
            } else if out.insert(name, value).is_some() {
                self.fault(key, format!("expected `{name}` once in {what}, found it again"));
            }
        }
        out
    }

    /// The pairs of a mapping; an empty scalar is an empty mapping.
    pub fn pairs<'n>(&mut self, node: &'n Node, what: &str) -> &'n [(Node, Node)] {
        match &node.data {
            Data::Map(pairs) => pairs,
            Data::Scalar(s, Style::Plain) if s.is_empty() || s == "~" || s == "null" => &[],
            _ => {
                self.fault(node, format!("expected {what} as a mapping, found {}", node.shown()));
                &[]
            }
        }
    }

    /// The text of a key, which may be any word.
    pub fn key<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        match &node.data {
            Data::Scalar(s, Style::Plain) if !s.is_empty() => Some(s),
            _ => self.text(node, "a key"),
        }
    }

    /// The text of a scalar.
    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.data {
            Data::Scalar(s, Style::Plain) if matches!(s.as_str(), "~" | "null" | "Null" | "NULL") => {
                self.fault(node, format!("expected {what}, found `{s}`, which is nothing")).hint =
                    Some("in quotes it is a text".to_string());
                None
            }
            Data::Scalar(s, style) if !s.is_empty() || *style == Style::Quoted => Some(s),
            _ => {
                self.fault(node, format!("expected {what}, found {}", node.shown()));
                None
            }
        }
    }

    /// The items of a list; a single scalar is a list of one.
    pub fn items<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.data {
            Data::Seq(items) => items,
            Data::Scalar(s, _) if !s.is_empty() => std::slice::from_ref(node),
            _ => {
                self.fault(node, format!("expected {what} as a list, found {}", node.shown()));
                &[]
            }
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, node: &Node, what: &str) -> Vec<String> {
        self.items(node, what).iter().filter_map(|n| self.text(n, what).map(str::to_string)).collect()
    }

    /// A span such as `10m`.
    pub fn span(&mut self, node: &Node, what: &str) -> Option<Span> {
        let text = self.text(node, what)?;
        let seconds = if text == "0" { Some(0.0) } else { figures::seconds(text) };
        let span = seconds.map(|s| Span((s * 1e6) as i64)).filter(|s| s.0 >= 0 && *s <= limits::WINDOW);
        if span.is_none() {
            let what = format!("expected {what} as a duration up to 8d, found {}", node.shown());
            self.fault(node, what).hint = Some("write a number and a unit: 90s, 10m, 1h, 1.5d".to_string());
        }
        span
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, node: &Node, what: &str) -> bool {
        match self.text(node, what) {
            Some("true") => true,
            Some("false") | None => false,
            Some(_) => {
                self.fault(node, format!("expected {what} as true or false, found {}", node.shown()));
                false
            }
        }
    }
}

/// A line of a file.
struct Line<'s> {
    text: &'s str,
    /// Most lines are ASCII, where a column is found without a search.
    ascii: bool,
}

impl<'s> Line<'s> {
    fn of(text: &'s str) -> Line<'s> {
        Line { text, ascii: text.is_ascii() }
    }

    /// It without its first characters; empty where looking for them would cost too much.
    fn skipped(&self, chars: usize) -> &'s str {
        let at = match self.ascii {
            true => Some(chars),
            false if self.text.len() > limits::PLACED_BYTES => None,
            false => self.text.char_indices().nth(chars).map(|(i, _)| i),
        };
        at.and_then(|at| self.text.get(at..)).unwrap_or("")
    }
}

type Broken = (usize, usize, String);

/// A container that is still open: its items so far, and the key that waits for its value.
struct Open {
    node: Node,
    key: Option<Node>,
}

fn build(text: &str) -> Result<Option<Node>, Broken> {
    let mut parser = Parser::new(StrInput::new(text));
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut documents = 0;
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|e| {
            let what = format!("expected YAML, found a mistake: {}", e.info());
            (e.marker().line(), e.marker().col() + 1, what)
        })?;
        let done = match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(broken(span, "expected one YAML document, found a second one"));
                }
                None
            }
            Event::Alias(_) => {
                return Err(broken(span, "expected a value, found an alias; write the value out"));
            }
            Event::Scalar(s, style, ..) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::Literal => Style::Block,
                    ScalarStyle::Folded => Style::Folded,
                    _ => Style::Quoted,
                };
                Some(node(span, Data::Scalar(s.into_owned(), style)))
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= limits::NESTING => {
                return Err(broken(span, "expected less nesting, found more than 64 levels"));
            }
            Event::SequenceStart(..) => {
                open.push(Open { node: node(span, Data::Seq(Vec::new())), key: None });
                None
            }
            Event::MappingStart(..) => {
                open.push(Open { node: node(span, Data::Map(Vec::new())), key: None });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|o| o.node),
            _ => None,
        };
        if let Some(done) = done {
            place_node(&mut open, &mut root, done);
        }
    }
    Ok(root)
}

fn place_node(open: &mut [Open], root: &mut Option<Node>, done: Node) {
    let Some(top) = open.last_mut() else {
        *root = Some(done);
        return;
    };
    match &mut top.node.data {
        Data::Seq(items) => items.push(done),
        Data::Map(pairs) => match top.key.take() {
            Some(key) => pairs.push((key, done)),
            None => top.key = Some(done),
        },
        Data::Scalar(..) => {}
    }
}

fn node(span: YamlSpan, data: Data) -> Node {
    Node { line: span.start.line(), column: span.start.col() + 1, hidden: false, filled: false, data }
}

fn broken(span: YamlSpan, what: &str) -> Broken {
    (span.start.line(), span.start.col() + 1, what.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_all_mistakes_with_their_places() {
        let text = "name: x\nnmae: y\nname: z\nlist: [1, 2]\n";
        let mut r = Reader::new("f.yaml", text);
        let tree = r.tree(text).unwrap();
        r.fields(&tree, "a brand", &["name", "list"]);
        let shown: Vec<String> = r.faults.iter().map(|f| f.to_string()).collect();
        assert_eq!(shown.len(), 2, "{shown:?}");
        assert!(shown[0].starts_with("f.yaml:2:1: error: expected a key of a brand, found `nmae`"));
        assert!(shown[0].contains("did you mean `name`?"));
        assert!(shown[1].starts_with("f.yaml:3:1: error: expected `name` once"));
    }

    #[test]
    fn places_inside_scalars_are_exact() {
        let text = "a: x > yy\nb: 'x > yy'\nc: |\n  first\n  x > yy\nd: >-\n  first\n  x > yy\ne: first\n   x > yy\n";
        let mut r = Reader::new("f.yaml", text);
        let tree = r.tree(text).unwrap();
        let Data::Map(pairs) = &tree.data else { panic!("no map") };
        let at = |k: usize, o| (r.place_in(&pairs[k].1, o).line, r.place_in(&pairs[k].1, o).column);
        assert_eq!(at(0, 4), (1, 8));
        assert_eq!(at(1, 4), (2, 9));
        assert_eq!(at(2, 10), (5, 7));
        assert_eq!(at(3, 10), (8, 7));
        assert_eq!(at(4, 10), (10, 8));
        assert_eq!([at(2, 13), at(3, 12)], [(5, 9), (8, 9)], "the end is not on the next key");
    }

    #[test]
    fn hostile_yaml_is_a_fault() {
        for text in ["a: [", "a: *x", &"[".repeat(100_000), "a: &x [*x]", "--- a\n--- b\n", &"{".repeat(5000)] {
            let mut r = Reader::new("f.yaml", text);
            let shown = &text[..text.len().min(20)];
            assert!(r.tree(text).is_none(), "{shown}");
            assert_eq!(r.faults.len(), 1, "{shown}");
        }
    }
}
