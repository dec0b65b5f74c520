//! What a search found, for people and as JSON.

use serde::Serialize;

use super::tally::{Found, People, Tally};
use crate::app::cli::screen::{Paint, cut};
use crate::app::cli::watch::line::{audience, author, tone};
use crate::base::figures::short;
use crate::base::limits;
use crate::base::model::{Cause, Negativity, PostKind, Tone};
use crate::base::time::Time;
use crate::notify::plain;
use crate::store::archive::Extent;

/// Fewest columns of a text, however narrow the terminal is.
const TEXT: usize = 16;

/// How it is shown.
pub(super) struct Look {
    /// Columns there are; `None`: as many as it takes.
    pub(super) width: Option<usize>,
    pub(super) paint: Paint,
    /// Posts that were asked for.
    pub(super) shown: u64,
}

/// For people: the posts from old to new, then what they come to.
pub(super) fn text(t: Tally, extent: &Extent, look: &Look) -> String {
    let (posts, people) = (t.posts, t.people());
    let mut out: String = t.shown().iter().map(|f| post(f, look)).collect();
    out.push_str(&look.paint.strong(&summary(posts, &people)));
    out.push('\n');
    if posts > look.shown {
        let shown =
            if look.shown == 0 { "none is shown".into() } else { format!("the newest {} are shown", look.shown) };
        out.push_str(&look.paint.faint(&format!("{shown}; --limit shows more")));
        out.push('\n');
    }
    out.push_str(&look.paint.faint(&reach(extent)));
    out.push('\n');
    out
}

fn post(f: &Found, look: &Look) -> String {
    let source = plain(&f.body.source, limits::NAME_BYTES);
    let when = moment(f.time);
    let who = cut(&author(&f.body, None), 40);
    let followers = audience(f.followers, f.known);
    let head = format!("{when}  {:<8}  {followers:>5}  {who} ({source})", tone(f.n));
    let kind = if f.kind == PostKind::Post { String::new() } else { format!("{}: ", f.kind.name()) };
    let said = plain(&f.body.text, limits::KEPT_TEXT_BYTES);
    let said = if said.is_empty() { format!("{kind}no text") } else { format!("{kind}{said}") };
    let said = look.width.map_or(said.clone(), |w| cut(&said, w.saturating_sub(2).max(TEXT)));
    let mut out = format!("{}\n  {said}\n", look.paint.tone(Tone::of(f.n), &head));
    if let Some(url) = &f.body.url {
        out.push_str(&format!("  {}\n", look.paint.faint(&plain(url, limits::NAME_BYTES))));
    }
    out
}

/// Date and time in UTC.
fn moment(t: Time) -> String {
    format!("{} {}", t.to_string().get(..10).unwrap_or(""), t.clock_utc())
}

/// `9 posts by 5 people, 637 followers (known for 4 of 5)`.
fn summary(posts: u64, p: &People) -> String {
    if posts == 0 {
        return "nothing found".into();
    }
    let of = |n: u64, one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
    let followers =
        if p.followers == 1 { "1 follower".into() } else { format!("{} followers", short(p.followers as f64)) };
    let least = if p.more { "at least " } else { "" };
    let (posts, people) = (of(posts, "post", "posts"), of(p.accounts, "person", "people"));
    format!("{posts} by {least}{people}, {least}{followers} (known for {} of {})", p.known, p.accounts)
}

fn reach(e: &Extent) -> String {
    match e.oldest {
        _ if e.mark == 0 => "the archive is empty: no service has written to it yet".into(),
        Some(oldest) => {
            format!("archive: {} posts, from {} UTC; written up to {} UTC", e.posts, moment(oldest), moment(e.at))
        }
        None => format!("archive: no posts; written up to {} UTC", moment(e.at)),
    }
}

/// A post as JSON; scripts rely on its keys.
#[derive(Serialize)]
struct Line {
    time: String,
    source: String,
    kind: &'static str,
    id: String,
    author: String,
    author_name: Option<String>,
    followers: u64,
    followers_known: bool,
    negativity: Option<f64>,
    tone: &'static str,
    causes: Vec<&'static str>,
    lang: Option<String>,
    text: String,
    url: Option<String>,
    links: Vec<String>,
    tags: Vec<String>,
}

/// What all posts come to, as JSON.
#[derive(Serialize)]
struct Total {
    posts: u64,
    shown: usize,
    people: u64,
    people_known: u64,
    people_at_least: bool,
    followers: u64,
    archive_posts: u64,
    archive_from: Option<String>,
    archive_to: Option<String>,
}

/// As JSON: a line a post, from old to new, and one with what all come to.
pub(super) fn json(t: Tally, extent: &Extent) -> String {
    let (posts, people) = (t.posts, t.people());
    let shown = t.shown();
    let mut out: String = shown.iter().map(|f| line(&as_line(f))).collect();
    out.push_str(&line(&Total {
        posts,
        shown: shown.len(),
        people: people.accounts,
        people_known: people.known,
        people_at_least: people.more,
        followers: people.followers,
        archive_posts: extent.posts,
        archive_from: extent.oldest.map(|t| t.to_string()),
        archive_to: (extent.mark > 0).then(|| extent.at.to_string()),
    }));
    out
}

fn line(of: &impl Serialize) -> String {
    serde_json::to_string(of).unwrap_or_default() + "\n"
}

fn as_line(f: &Found) -> Line {
    let harmless = |text: &str| plain(text, limits::KEPT_TEXT_BYTES);
    let all = |items: &[Box<str>]| items.iter().map(|s| harmless(s)).collect();
    let b = &f.body;
    Line {
        time: f.time.to_string(),
        source: harmless(&b.source),
        kind: f.kind.name(),
        id: harmless(&b.id),
        author: harmless(&b.author),
        author_name: b.author_name.as_deref().map(harmless),
        followers: f.followers,
        followers_known: f.known,
        negativity: f.n.map(Negativity::as_unit),
        tone: Tone::of(f.n).name(),
        causes: f.causes.iter().map(Cause::name).collect(),
        lang: b.lang.as_deref().map(harmless),
        text: harmless(&b.text),
        url: b.url.as_deref().map(harmless),
        links: all(&b.links),
        tags: all(&b.tags),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::tests::post;
    use super::*;
    use crate::app::cli::screen::columns;
    use crate::notify::Style;

    const EXTENT: Extent = Extent { mark: 7, at: Time(1_783_175_890_000_000), posts: 12, oldest: Some(Time(0)) };

    fn found(posts: &[(u64, u64, u64, bool)], most: usize) -> Tally {
        let mut t = Tally::new(most);
        posts.iter().for_each(|(id, account, followers, known)| t.add(&post(*id, *account, *followers, *known)));
        t
    }

    fn shown(t: Tally, width: Option<usize>) -> String {
        text(t, &EXTENT, &Look { width, paint: Paint(Style::default()), shown: 2 })
    }

    #[test]
    fn people_read_old_to_new_and_what_it_comes_to() {
        let text = shown(found(&[(2, 1, 12_000, true), (1, 2, 300, false), (3, 1, 12_000, true)], 2), None);
        let wanted = "2026-07-04 14:38:08  neg 0.83    12k  @maeve.example (bluesky)\n  United broke my [31mguitar\n  https://b.example/1\n\
                      2026-07-04 14:38:09  neg 0.83    12k  @maeve.example (bluesky)\n  United broke my [31mguitar\n  https://b.example/1\n\
                      3 posts by 2 people, 12k followers (known for 1 of 2)\n\
                      the newest 2 are shown; --limit shows more\n\
                      archive: 12 posts, from 1970-01-01 00:00:00 UTC; written up to 2026-07-04 14:38:10 UTC\n";
        assert_eq!(text, wanted);
        assert!(
            shown(found(&[(1, 1, 1, true)], 2), None).contains("\n1 post by 1 person, 1 follower (known for 1 of 1)\n")
        );
        assert!(shown(found(&[], 2), None).starts_with("nothing found\narchive: "));
        let narrow = shown(found(&[(1, 1, 1, true)], 2), Some(20));
        assert_eq!(narrow.lines().nth(1).map(|l| (l, columns(l))), Some(("  United broke my […", 20)));
        let empty = Extent { mark: 0, at: Time(0), posts: 0, oldest: None };
        assert_eq!(reach(&empty), "the archive is empty: no service has written to it yet");
    }

    #[test]
    fn json_has_a_line_a_post_and_one_for_all() {
        let text = json(found(&[(2, 1, 12_000, true), (1, 2, 300, false)], 1), &EXTENT);
        let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["text"], &lines[0]["followers"]), (&"United broke my [31mguitar".into(), &12_000.into()));
        assert_eq!(lines[0]["links"], serde_json::json!(["https://v.example/1"]));
        let total = &lines[1];
        assert_eq!((&total["posts"], &total["shown"], &total["people"]), (&2.into(), &1.into(), &2.into()));
        assert_eq!((&total["people_known"], &total["followers"]), (&1.into(), &12_300.into()));
        assert_eq!(total["archive_to"], "2026-07-04T14:38:10.000Z");
    }
}
