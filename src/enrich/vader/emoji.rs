//! Emoji of one code point written out as their English names.

use std::borrow::Cow;
use std::sync::LazyLock;

/// The names with their licence notice; rows are told from the notice by their tab.
const NAMES: &str = include_str!("emoji.tsv");
/// Code points of a page, and pages: every emoji lies below U+20000.
const PAGE: usize = 256;
const PAGES: usize = 512;

/// Two steps from a code point to its name: the page, then the number of the name plus one (0 is none).
struct Names {
    pages: [u8; PAGES],
    numbers: Vec<[u16; PAGE]>,
    names: Vec<&'static str>,
}

static TABLE: LazyLock<Names> = LazyLock::new(Names::build);

/// Replaces every emoji by its name, with a space before it but none behind it: what follows is glued to the name,
/// as in the original. A space too many changes nothing, the text is cut at white space.
pub(super) fn spell_out(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let table: &Names = &TABLE;
    let mut out = String::new();
    let mut done = 0;
    for (at, letter) in text.char_indices() {
        if let Some(name) = table.get(letter) {
            out.push_str(text.get(done..at).unwrap_or_default());
            out.push(' ');
            out.push_str(name);
            done = at + letter.len_utf8();
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

impl Names {
    fn build() -> Names {
        // Page 0 stays empty; pages with an emoji point to later ones.
        let mut table = Names { pages: [0; PAGES], numbers: vec![[0; PAGE]], names: Vec::new() };
        for (emoji, name) in rows() {
            let mut letters = emoji.chars();
            if let (Some(letter), None) = (letters.next(), letters.next()) {
                table.insert(letter, name);
            }
        }
        table
    }

    fn insert(&mut self, letter: char, name: &'static str) {
        let code = letter as usize;
        let Some(page) = self.pages.get_mut(code / PAGE) else {
            return;
        };
        if *page == 0 {
            *page = self.numbers.len() as u8;
            self.numbers.push([0; PAGE]);
        }
        self.names.push(name);
        if let Some(number) = self.numbers.get_mut(usize::from(*page)).and_then(|page| page.get_mut(code % PAGE)) {
            *number = self.names.len() as u16;
        }
    }

    #[inline]
    fn get(&self, letter: char) -> Option<&'static str> {
        let code = letter as usize;
        let page = *self.pages.get(code / PAGE)?;
        let number = *self.numbers.get(usize::from(page))?.get(code % PAGE)?;
        self.names.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// The rows of the data file in their order: emoji and name.
pub(super) fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.lines().filter_map(|line| line.split_once('\t'))
}
