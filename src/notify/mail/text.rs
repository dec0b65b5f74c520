//! The plain text of a mail, for terminals and for those who take no HTML.

use super::{ROOMS, Room, facts, is_address, words};
use crate::base::limits;
use crate::notify::plain::plain;
use crate::notify::view::{Said, View};

/// Characters of a line; only addresses are longer.
const WIDTH: usize = 76;

/// All of it.
pub(super) fn text(view: &View) -> String {
    let room = ROOMS.first().copied().unwrap_or(Room { items: 1, chars: 40 });
    let mut page = Page { out: String::new(), room };
    page.head(view);
    page.quote(view);
    page.moments(view);
    page.top(view);
    page.lines(view);
    page.said(view);
    page.todo(view);
    page.out
}

struct Page {
    out: String,
    room: Room,
}

impl Page {
    fn clean(&self, text: &str) -> String {
        plain(text, self.room.chars)
    }

    /// A text over as many lines as it takes, after `first`, below it indented.
    fn put(&mut self, first: &str, text: &str) {
        let indent = first.chars().count();
        let (mut at, mut empty) = (indent, true);
        self.out.push_str(first);
        for word in text.split(' ').filter(|w| !w.is_empty()) {
            let long = word.chars().count();
            if !empty && at + 1 + long > WIDTH {
                self.out.push('\n');
                self.out.extend(std::iter::repeat_n(' ', indent));
                (at, empty) = (indent, true);
            }
            if !empty {
                self.out.push(' ');
                at += 1;
            }
            self.out.push_str(word);
            (at, empty) = (at + long, false);
        }
        let kept = self.out.trim_end_matches(' ').len();
        self.out.truncate(kept);
        self.out.push('\n');
    }

    /// The name of a part, after an empty line.
    fn part(&mut self, name: &str) {
        self.out.push('\n');
        if !name.is_empty() {
            self.put("", name);
        }
    }

    fn head(&mut self, view: &View) {
        let code = view.code();
        let title = [self.clean(&view.brand), self.clean(&view.title)];
        let title = title.iter().filter(|t| !t.is_empty()).map(String::as_str).collect::<Vec<_>>().join(": ");
        let code = if code.is_empty() { code } else { format!(" - {code}") };
        self.put("", &format!("{} - {title}{code}", self.clean(view.word)));
        let when = [self.clean(&view.date), self.clean(&view.time)].join(" ");
        self.put("", when.trim());
        self.part("");
        let sentence = self.clean(&view.sentence);
        self.put("", &sentence);
    }

    fn quote(&mut self, view: &View) {
        let more = self.clean(&view.quote_more);
        if view.quote.is_none() && more.is_empty() {
            return;
        }
        self.part("");
        if let Some(said) = &view.quote {
            self.put("  ", &words(said, self.room.chars));
            let by = self.by(said);
            self.put("  ", &by);
            self.link(said, "  ");
        }
        if !more.is_empty() {
            self.put("  ", &more);
        }
    }

    fn by(&self, said: &Said) -> String {
        let mut by = vec![self.clean(&said.author)];
        by.extend(facts(said, self.room.chars));
        by.retain(|b| !b.is_empty());
        by.join(", ")
    }

    fn link(&mut self, said: &Said, indent: &str) {
        let Some(link) = &said.link else { return };
        let shown = match &link.follow {
            Some(url) if is_address(url) && url.starts_with("https://") => url.clone(),
            _ => plain(&link.shown, limits::MAIL_LINK_BYTES.min(200)),
        };
        self.put(indent, &shown);
    }

    fn moments(&mut self, view: &View) {
        if view.moments.is_empty() {
            return;
        }
        self.part("How it came to this");
        let reached = view.moments.iter().any(|m| !m.reach.is_empty());
        let shown: Vec<_> = view.moments.iter().take(self.room.items).collect();
        let rows = shown.iter().map(|m| [plain(&m.clock, 20), plain(&m.what, 60), plain(&m.reach, 12)]);
        let rows: Vec<[String; 3]> = rows.collect();
        let wide = |i: usize| rows.iter().map(|r| r.get(i).map_or(0, |t| t.chars().count())).max().unwrap_or(0);
        let (clock, what, reach) = (wide(0), wide(1), wide(2).max(if reached { 12 } else { 0 }));
        if reached {
            let head = format!("  {:clock$}  {:what$}  {:>reach$}", "", "", "reach so far");
            self.out.push_str(&format!("{head}\n"));
        }
        for [a, b, c] in &rows {
            let line = format!("  {a:clock$}  {b:what$}  {c:>reach$}");
            self.out.push_str(line.trim_end());
            self.out.push('\n');
        }
    }

    fn top(&mut self, view: &View) {
        if view.top.is_empty() {
            return;
        }
        self.part("Top by share of hostile reach");
        for (k, said) in view.top.iter().take(self.room.items).enumerate() {
            let by = self.by(said);
            self.put(&format!("  {}  {:>6}  ", k + 1, plain(&said.share, 12)), &by);
            let words = words(said, self.room.chars);
            if !words.is_empty() {
                self.put("     ", &words);
            }
            self.link(said, "     ");
        }
    }

    fn lines(&mut self, view: &View) {
        if view.lines.is_empty() {
            return;
        }
        self.part("");
        let mut before = None;
        for (label, text) in view.lines.iter().take(2 * self.room.items) {
            let (text, word) =
                (self.clean(text), if before.replace(*label) == Some(*label) { "" } else { label.word() });
            self.put(&format!("{word:7}"), &text);
        }
    }

    fn said(&mut self, view: &View) {
        let voices = self.clean(&view.voices);
        if !voices.is_empty() {
            self.part("What people say");
            self.put("  ", &voices);
        }
    }

    fn todo(&mut self, view: &View) {
        let named = [("On call", &view.owner), ("Taken by", &view.claimed)];
        let named: Vec<_> = named.into_iter().filter_map(|(n, t)| Some((n, self.clean(t.as_ref()?)))).collect();
        if !view.runbooks.is_empty() || !named.is_empty() {
            self.part("");
        }
        for runbook in view.runbooks.iter().take(self.room.items) {
            let shown = if is_address(runbook) { runbook.clone() } else { self.clean(runbook) };
            self.put("Runbook: ", &shown);
        }
        for (name, text) in named {
            self.put(&format!("{name}: "), &text);
        }
        if let Some(act) = view.act.as_ref().filter(|a| is_address(&a.url)) {
            self.part("Claim or acknowledge (a page with buttons; opening it changes nothing):");
            self.put("", &act.url);
        }
        if let Some(more) = view.more.as_ref().filter(|m| is_address(m)) {
            self.part("More:");
            self.put("", more);
        }
    }
}
