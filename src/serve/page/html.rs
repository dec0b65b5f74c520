//! HTML of the page: everything that is not ours is escaped.

use crate::base::limits;
use crate::serve::want::{Link, Linked};

const STYLE: &str = "\
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--faint:#57606a;--line:#d0d7de;--bad:#b42318;--good:#116329;--warn:#8a5a00}\
@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--faint:#9aa4af;--line:#3d444d;--bad:#ff8a80;--good:#7ee2a0;--warn:#f0c36d}}\
*{box-sizing:border-box}\
body{margin:0 auto;max-width:36rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);overflow-wrap:anywhere}\
h1{font-size:1.3rem;line-height:1.3;margin:.25rem 0}\
p{margin:.5rem 0}\
.faint{color:var(--faint)}\
.page{color:var(--bad);font-weight:700}.warn{color:var(--warn);font-weight:700}.info{color:var(--faint);font-weight:700}\
.good,.bad{border-left:.3rem solid;padding:.5rem .75rem}.good{color:var(--good)}.bad{color:var(--bad)}\
label{display:block;margin:1rem 0 .25rem;font-weight:600}\
input{width:100%;padding:.7rem;font:inherit;color:inherit;background:transparent;border:1px solid var(--line);border-radius:.4rem}\
button{display:block;width:100%;margin:.75rem 0;padding:.8rem;font:inherit;font-weight:600;color:inherit;background:transparent;border:2px solid var(--line);border-radius:.4rem;cursor:pointer}\
button:hover,button:focus{border-color:var(--fg)}\
hr{border:0;border-top:1px solid var(--line);margin:1.5rem 0}";

/// What is said of what was just asked for.
pub(super) enum Word {
    None,
    Good(String),
    Bad(String),
}

/// A text within HTML or an attribute.
fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn whole(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><style>{STYLE}</style></head>\n<body>{body}</body></html>\n",
        esc(title)
    )
}

/// A page that only says something.
pub(super) fn said(head: &str, text: &str) -> String {
    whole(head, &format!("<main><h1>{}</h1><p>{}</p></main>", esc(head), esc(text)))
}

/// The incident, with what can be done about it.
pub(super) fn incident(i: &Linked, link: &Link, word: &Word, by: &str) -> String {
    let class = match &*i.severity {
        "page" => "page",
        "warn" => "warn",
        _ => "info",
    };
    let severity = if i.over { "over".to_string() } else { i.severity.to_uppercase() };
    let class = if i.over { "info" } else { class };
    let mut body = format!(
        "<main><p class=\"faint\"><span class=\"{class}\">{}</span> {}</p>\n<h1>{}: {}</h1>\n<p>{}</p>\n<p class=\"faint\">{}</p>\n",
        esc(&severity),
        esc(&i.code),
        esc(&i.brand),
        esc(&i.title),
        esc(&i.sentence),
        esc(&i.since),
    );
    for deed in &i.deeds {
        body.push_str(&format!("<p>{}</p>\n", esc(deed)));
    }
    match word {
        Word::None => {}
        Word::Good(what) => body.push_str(&format!("<p class=\"good\" role=\"status\">{}</p>\n", esc(what))),
        Word::Bad(what) => body.push_str(&format!("<p class=\"bad\" role=\"alert\">{}</p>\n", esc(what))),
    }
    if i.over {
        body.push_str("<p class=\"faint\">It is over: there is nothing left to do here.</p>\n");
    } else {
        body.push_str(&form(link, by));
    }
    whole(&format!("{} {}: {}", i.code, i.brand, i.title), &(body + "</main>"))
}

fn form(link: &Link, by: &str) -> String {
    let hidden = [("r", link.receiver.clone()), ("e", link.until.to_string()), ("s", link.signature.clone())];
    let hidden: String = hidden
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", esc(value)))
        .collect();
    // a path of its own would be wrong behind a proxy that serves below one
    format!(
        "<hr><form method=\"post\" action=\"{}\">{hidden}\n\
         <label for=\"by\">Your name</label>\
         <input id=\"by\" name=\"by\" value=\"{}\" maxlength=\"{}\" autocomplete=\"name\" required>\n\
         <button name=\"do\" value=\"claim\">Claim: I take care of it</button>\n\
         <button name=\"do\" value=\"ack\">Acknowledge for 1 h</button>\n\
         <label for=\"reason\">Reason, to close it</label>\
         <input id=\"reason\" name=\"reason\" maxlength=\"{}\" autocomplete=\"off\">\n\
         <label for=\"verdict\">What it was</label>\
         <select id=\"verdict\" name=\"verdict\"><option value=\"unsaid\">not said</option>\
         <option value=\"real\">a real case</option><option value=\"false_alarm\">a false alarm</option></select>\n\
         <button name=\"do\" value=\"close\">Close: nobody is told any more</button>\n</form>\n",
        esc(&link.incident.full()),
        esc(by),
        limits::PERSON_CHARS,
        limits::REASON_CHARS,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::IncidentId;

    #[test]
    fn nothing_of_strangers_is_markup() {
        let evil = "\"><script>alert('x')</script>&\u{0}";
        let i = Linked {
            code: evil.into(),
            brand: evil.into(),
            severity: evil.into(),
            title: evil.into(),
            sentence: evil.into(),
            since: evil.into(),
            deeds: vec![evil.into()],
            over: false,
        };
        let link = Link { incident: IncidentId(7), receiver: evil.into(), until: 1, signature: evil.into() };
        for page in [
            incident(&i, &link, &Word::Bad(evil.into()), evil),
            incident(&i, &link, &Word::Good(evil.into()), evil),
            incident(&Linked { over: true, ..i.clone() }, &link, &Word::None, evil),
            said(evil, evil),
        ] {
            assert!(!page.contains("<script") && !page.contains('\0') && !page.contains("alert('x')"), "{page}");
            assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"), "{page}");
        }
    }

    #[test]
    fn what_is_over_has_no_buttons() {
        let link = Link { incident: IncidentId(7), receiver: "mail".into(), until: 1, signature: "s".into() };
        let open = incident(&Linked::default(), &link, &Word::None, "");
        let over = incident(&Linked { over: true, ..Linked::default() }, &link, &Word::None, "");
        assert_eq!((open.matches("<button").count(), over.matches("<button").count()), (3, 0));
        // nothing is loaded and nothing runs
        assert!(!["http:", "https:", "src=", "<link", " on"].iter().any(|s| open.contains(s)), "{open}");
    }
}
