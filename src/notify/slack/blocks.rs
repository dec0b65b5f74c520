//! Blocks of Slack, within its limits.
//!
//! No text here is one that Slack formats: texts are `plain_text`, links are elements of `rich_text`. So
//! nothing strangers write is a mention, a link or bold.

use serde_json::{Value as Json, json};

use crate::base::limits;

/// A piece of a message.
pub(super) enum Block {
    /// The headline.
    Head(String),
    /// A paragraph, or several lines.
    Text(String),
    /// Small print: one or more texts.
    Small(Vec<String>),
    /// Links with their names; addresses were checked.
    Links(Vec<(String, String)>),
    /// Buttons that open addresses: id, name, address. The first one stands out.
    Buttons(Vec<(String, String, String)>),
}

impl Block {
    /// What has room before what: a message without its headline or buttons is of little use.
    fn rank(&self) -> u8 {
        match self {
            Block::Head(_) => 0,
            Block::Buttons(_) => 1,
            Block::Text(_) => 2,
            Block::Small(_) => 3,
            Block::Links(_) => 4,
        }
    }

    /// In so many characters at most, as JSON; `None` if there is nothing to show.
    fn json(&self, room: usize) -> Option<Json> {
        let made = match self {
            Block::Head(text) => json!({"type": "header", "text": plain(text, limits::SLACK_HEADER)?}),
            Block::Text(text) => {
                let most = limits::SLACK_SECTION.min(room.saturating_sub(FRAME));
                json!({"type": "section", "text": plain(text, most)?})
            }
            Block::Small(texts) => {
                let shown = texts.iter().filter_map(|t| plain(t, limits::SLACK_SMALL));
                let elements: Vec<Json> = shown.take(limits::SLACK_ELEMENTS).collect();
                (!elements.is_empty()).then(|| json!({"type": "context", "elements": elements}))?
            }
            Block::Links(links) => {
                let mut elements = Vec::new();
                for (name, url) in links.iter().take(limits::SLACK_ELEMENTS) {
                    if !elements.is_empty() {
                        elements.push(json!({"type": "text", "text": " - "}));
                    }
                    elements.push(json!({"type": "link", "url": url, "text": name}));
                }
                let section = json!({"type": "rich_text_section", "elements": elements});
                (!elements.is_empty()).then(|| json!({"type": "rich_text", "elements": [section]}))?
            }
            Block::Buttons(all) => {
                let all = all.iter().take(limits::SLACK_ELEMENTS);
                let elements: Vec<Json> = all
                    .enumerate()
                    .filter_map(|(k, (id, name, url))| {
                        let text = plain(name, limits::SLACK_BUTTON)?;
                        let mut button = json!({"type": "button", "action_id": id, "text": text, "url": url});
                        if k == 0 {
                            button["style"] = "primary".into();
                        }
                        Some(button)
                    })
                    .collect();
                (!elements.is_empty()).then(|| json!({"type": "actions", "elements": elements}))?
            }
        };
        (chars(&made) <= room).then_some(made)
    }
}

/// Characters of JSON around the text of a section.
const FRAME: usize = 80;

/// The blocks as Slack takes them: cut and left out, the least important first, until they are within its limits.
pub(super) fn fitted(blocks: &[Block]) -> Vec<Json> {
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(|k| blocks.get(*k).map(Block::rank));
    let mut room = limits::SLACK_TOTAL;
    let mut made: Vec<(usize, Json)> = Vec::new();
    for k in order {
        let Some(json) = blocks.get(k).and_then(|b| b.json(room)).filter(|_| made.len() < limits::SLACK_BLOCKS) else {
            continue;
        };
        room = room.saturating_sub(chars(&json) + 1);
        made.push((k, json));
    }
    made.sort_by_key(|(k, _)| *k);
    made.into_iter().map(|(_, json)| json).collect()
}

/// A message and as much as there is room for of another, before its buttons.
pub(super) fn together(message: &[Json], more: &[Json]) -> Vec<Json> {
    let mut out = message.to_vec();
    let mut room = limits::SLACK_TOTAL.saturating_sub(message.iter().map(|b| chars(b) + 1).sum());
    let buttons = message.iter().position(|b| b["type"] == "actions").unwrap_or(message.len());
    for (k, block) in more.iter().enumerate() {
        let needs = chars(block) + 1;
        if needs > room || out.len() >= limits::SLACK_BLOCKS {
            break;
        }
        room -= needs;
        out.insert(buttons + k, block.clone());
    }
    out
}

/// Lines put into as few paragraphs as can hold them.
pub(super) fn paragraphs(lines: impl IntoIterator<Item = String>) -> Vec<Block> {
    let (mut out, mut text, mut size) = (Vec::new(), String::new(), 0);
    for line in lines.into_iter().filter(|l| !l.is_empty()) {
        let needs = line.chars().map(cost).sum::<usize>() + 2;
        if size > 0 && size + needs > limits::SLACK_SECTION {
            out.push(Block::Text(std::mem::take(&mut text)));
            size = 0;
        }
        if size > 0 {
            text.push('\n');
        }
        text.push_str(&line);
        size += needs;
    }
    if !text.is_empty() {
        out.push(Block::Text(text));
    }
    out
}

/// A text as it is shown, escaped, of at most so many characters as Slack counts them and as JSON does.
pub(super) fn escaped(text: &str, most: usize) -> String {
    let mut out = String::new();
    for c in within(text, most).chars() {
        match entity(c) {
            Some(entity) => out.push_str(entity),
            None => out.push(c),
        }
    }
    out
}

/// A text cut so that it is not longer than that once it is escaped.
pub(super) fn within(text: &str, most: usize) -> String {
    if text.chars().map(cost).sum::<usize>() <= most {
        return text.to_string();
    }
    let mut size = 1;
    let fits = |c: &char| {
        size += cost(*c);
        size <= most
    };
    let cut = text.chars().take_while(fits).collect::<String>();
    if most > 0 { cut + "…" } else { cut }
}

fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

/// The larger of what Slack may count and what it takes as JSON.
fn cost(c: char) -> usize {
    match (entity(c), c) {
        (Some(entity), _) => entity.len(),
        (_, '"' | '\\' | '\n') => 2,
        (_, c) if c.is_control() => 6,
        (_, c) => c.len_utf16(),
    }
}

fn plain(text: &str, most: usize) -> Option<Json> {
    let text = escaped(text.trim(), most);
    (!text.is_empty() && text != "…").then(|| json!({"type": "plain_text", "text": text, "emoji": false}))
}

fn chars(json: &Json) -> usize {
    json.to_string().chars().map(char::len_utf16).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_at_characters_after_escaping() {
        assert_eq!(escaped("a<b>&c", 100), "a&lt;b&gt;&amp;c");
        assert_eq!(escaped("a&b", 7), "a&amp;b");
        assert_eq!(escaped("a&b", 6), "a…");
        assert_eq!(escaped("<<<", 9), "&lt;&lt;…");
        assert_eq!(escaped("😀😀😀", 5), "😀😀…");
        assert_eq!((escaped("x", 0).as_str(), escaped("", 0).as_str()), ("", ""));
    }

    #[test]
    fn what_is_too_much_is_left_out_and_buttons_stay() {
        let many = (0..200).map(|k| Block::Text(format!("{k} {}", "<\"".repeat(4000))));
        let mut blocks: Vec<Block> = many.collect();
        blocks.insert(0, Block::Head("&".repeat(500)));
        blocks.push(Block::Buttons(vec![("act".into(), "<".repeat(100), "https://x.example/".into())]));
        let made = fitted(&blocks);
        assert!(made.len() <= limits::SLACK_BLOCKS && made.len() > 4, "{}", made.len());
        assert!(chars(&json!(made)) <= limits::SLACK_TOTAL, "{}", chars(&json!(made)));
        assert_eq!(
            (made[0]["type"].as_str(), made.last().unwrap()["type"].as_str()),
            (Some("header"), Some("actions"))
        );
        assert!(made[1]["text"]["text"].as_str().unwrap().chars().count() <= limits::SLACK_SECTION);
        assert!(made[1]["text"]["text"].as_str().unwrap().starts_with("0 &lt;\"&lt;"));
        // many small ones are as many as may be
        let small: Vec<Block> = (0..200).map(|k| Block::Text(k.to_string())).collect();
        assert_eq!(fitted(&small).len(), limits::SLACK_BLOCKS);
        let twice = together(&made, &fitted(&small));
        assert!(twice.len() <= limits::SLACK_BLOCKS && chars(&json!(twice)) <= limits::SLACK_TOTAL);
    }

    #[test]
    fn nothing_empty_is_sent() {
        let blocks = [
            Block::Head(" ".into()),
            Block::Text(String::new()),
            Block::Small(vec![String::new()]),
            Block::Links(Vec::new()),
            Block::Buttons(Vec::new()),
        ];
        assert!(fitted(&blocks).is_empty());
        assert!(paragraphs([String::new()]).is_empty());
    }

    #[test]
    fn lines_share_a_paragraph_while_they_can() {
        let texts = |lines: Vec<String>| -> Vec<String> {
            let of = |b: &Block| if let Block::Text(t) = b { t.clone() } else { panic!() };
            paragraphs(lines).iter().map(of).collect()
        };
        assert_eq!(texts(vec!["a".into(), String::new(), "b".into()]), ["a\nb"]);
        let long = "x".repeat(limits::SLACK_SECTION / 2);
        assert_eq!(texts(vec![long.clone(), long.clone(), "b".into()]), [long.clone(), format!("{long}\nb")]);
    }
}
