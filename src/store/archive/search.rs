//! Posts that may match a query: a superset, by the index where it helps.

use rusqlite::Row;
use rusqlite::types::{ToSql, ValueRef};

use super::{Archive, ArchiveError};
use crate::base::limits;
use crate::base::model::{AccountId, Cause, Causes, KeyId, Negativity, PostId, PostKind};
use crate::base::time::Time;

/// Characters the index knows together.
const TOGETHER: usize = 3;

/// What is asked of an archive.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// Posts from this time on.
    pub since: Option<Time>,
    /// Posts before this time.
    pub until: Option<Time>,
    /// Posts that concerned this brand or group.
    pub key: Option<KeyId>,
    /// Of each list at least one literal stands in the folded text of what is looked for. Lists
    /// with a literal that the index cannot find are not used.
    pub needs: Vec<Vec<String>>,
}

/// A post of the archive.
#[derive(Clone, PartialEq, Debug)]
pub struct Archived<'r> {
    /// Its id.
    pub post: PostId,
    /// Its author.
    pub account: AccountId,
    /// Event time.
    pub time: Time,
    /// What it is to others.
    pub kind: PostKind,
    /// Its negativity.
    pub n: Option<Negativity>,
    /// What it complains about.
    pub causes: Causes,
    /// The author's followers, as last known or imputed.
    pub followers: u64,
    /// Whether they are known.
    pub known: bool,
    /// Its source.
    pub source: &'r str,
    /// Its id at the source.
    pub id: &'r str,
    /// The author's id at the source.
    pub author: &'r str,
    /// The author's name in the post, or as it was learned later.
    pub name: Option<&'r str>,
    /// Language, if given.
    pub lang: Option<&'r str>,
    /// Where people can read it.
    pub url: Option<&'r str>,
    /// Its text, cut.
    pub text: &'r str,
    /// Outside links.
    pub links: Vec<String>,
    /// Tags beside the text.
    pub tags: Vec<String>,
}

const COLUMNS: &str = "p.post, p.account, p.time, p.kind, p.n, p.causes, a.followers, a.known, a.source, p.at_source, \
                       a.author, coalesce(p.name, a.name), p.lang, p.url, p.text, p.links, p.tags";

impl Archive {
    /// Calls `each` for every post that may be what is asked for; how many those are. None is
    /// missing that holds what is needed. Without help of the index the newest comes first.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn search(&self, asked: &Asked, each: &mut dyn FnMut(&Archived<'_>)) -> Result<u64, ArchiveError> {
        self.search_rows(asked, each).map_err(|e| self.failed(&e))
    }

    fn search_rows(&self, asked: &Asked, each: &mut dyn FnMut(&Archived<'_>)) -> rusqlite::Result<u64> {
        let words = expression(&asked.needs);
        let key = asked.key.map(|k| k.0.cast_signed());
        // the order of the tables is set by hand: the first one is the narrowest
        let (from, order) = match (&words, key) {
            (Some(_), None) => ("words CROSS JOIN posts p ON p.id = words.rowid", ""),
            (Some(_), Some(_)) => (
                "words CROSS JOIN post_keys k ON k.id = words.rowid AND k.key = :key CROSS JOIN posts p ON p.id = k.id",
                "",
            ),
            (None, Some(_)) => ("post_keys k CROSS JOIN posts p ON p.id = k.id", "ORDER BY k.time DESC"),
            (None, None) => ("posts p", "ORDER BY p.time DESC"),
        };
        let (matching, time) = match (&words, key) {
            (Some(_), _) => ("words MATCH :words AND", "p.time"),
            (None, Some(_)) => ("k.key = :key AND", "k.time"),
            (None, None) => ("", "p.time"),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM {from} LEFT JOIN accounts a ON a.account = p.account \
             WHERE {matching} {time} >= :since AND {time} < :until AND p.deleted = 0 {order}"
        );
        let since = asked.since.map_or(i64::MIN, |t| t.0);
        let until = asked.until.map_or(i64::MAX, |t| t.0);
        let mut params: Vec<(&str, &dyn ToSql)> = vec![(":since", &since), (":until", &until)];
        params.extend(words.as_ref().map(|w| (":words", w as &dyn ToSql)));
        params.extend(key.as_ref().map(|k| (":key", k as &dyn ToSql)));
        let mut find = self.db.prepare(&sql)?;
        let mut rows = find.query(&*params)?;
        let mut candidates = 0;
        while let Some(row) = rows.next()? {
            candidates += 1;
            each(&archived(row)?);
        }
        Ok(candidates)
    }
}

fn archived<'r>(row: &'r Row<'_>) -> rusqlite::Result<Archived<'r>> {
    let text = |i: usize| row.get_ref(i).map(said);
    let bits: i64 = row.get(5)?;
    let mut causes = Causes::default();
    Cause::ALL.into_iter().filter(|c| bits >> *c as u32 & 1 == 1).for_each(|c| causes.add(c));
    let kind = usize::try_from(row.get::<_, i64>(3)?).ok().and_then(|k| PostKind::ALL.get(k).copied());
    let n: Option<u16> = row.get(4)?;
    Ok(Archived {
        post: PostId(row.get::<_, i64>(0)?.cast_unsigned()),
        account: AccountId(row.get::<_, i64>(1)?.cast_unsigned()),
        time: Time(row.get(2)?),
        kind: kind.unwrap_or(PostKind::Post),
        n: n.map(Negativity::from_milli),
        causes,
        followers: row.get::<_, Option<i64>>(6)?.unwrap_or(0).max(0).cast_unsigned(),
        known: row.get::<_, Option<bool>>(7)?.unwrap_or(false),
        source: text(8)?.unwrap_or(""),
        id: text(9)?.unwrap_or(""),
        author: text(10)?.unwrap_or(""),
        name: text(11)?,
        lang: text(12)?,
        url: text(13)?,
        text: text(14)?.unwrap_or(""),
        links: text(15)?.map_or(Vec::new(), list),
        tags: text(16)?.map_or(Vec::new(), list),
    })
}

fn said(value: ValueRef<'_>) -> Option<&str> {
    match value {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn list(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}

/// What the index is asked for; `None` where it cannot help. Every group of characters stands in
/// quotes, with quotes doubled, so that nothing in it is an operator.
fn expression(needs: &[Vec<String>]) -> Option<String> {
    let usable = |list: &&Vec<String>| {
        (1..=limits::INDEXED_LITERALS).contains(&list.len())
            && list.iter().all(|literal| literal.chars().count() >= TOGETHER)
    };
    let lists: Vec<String> = needs.iter().filter(usable).take(limits::INDEXED_LISTS).map(|l| any(l)).collect();
    (!lists.is_empty()).then(|| lists.join(" AND "))
}

fn any(literals: &[String]) -> String {
    let each: Vec<String> = literals.iter().map(|l| trigrams(l)).collect();
    format!("({})", each.join(" OR "))
}

/// Groups of three characters from all over a literal.
fn trigrams(literal: &str) -> String {
    let chars: Vec<char> = literal.chars().map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect();
    let groups: Vec<&[char]> = chars.windows(TOGETHER).collect();
    let step = groups.len().div_ceil(limits::INDEXED_TRIGRAMS).max(1);
    let quoted = |g: &&[char]| format!("\"{}\"", g.iter().collect::<String>().replace('"', "\"\""));
    let mut each: Vec<String> = groups.iter().step_by(step).map(quoted).collect();
    each.dedup();
    format!("({})", each.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(needs: &[&[&str]]) -> Option<String> {
        let owned: Vec<Vec<String>> = needs.iter().map(|l| l.iter().map(|s| s.to_string()).collect()).collect();
        expression(&owned)
    }

    #[test]
    fn literals_become_quoted_groups() {
        assert_eq!(of(&[&["united"]]).as_deref(), Some("((\"uni\" AND \"nit\" AND \"ite\" AND \"ted\"))"));
        assert_eq!(of(&[&["abc", "日航便"], &["xyz"]]).as_deref(), Some("((\"abc\") OR (\"日航便\")) AND ((\"xyz\"))"));
        assert_eq!(of(&[&["a\"b"]]).as_deref(), Some("((\"a\"\"b\"))"), "quotes are doubled");
        assert_eq!(of(&[&["a\0b"]]).as_deref(), Some("((\"a\u{fffd}b\"))"));
        assert_eq!((of(&[]), of(&[&["ab"]]), of(&[&["abc", "ab"]]), of(&[&[]])), (None, None, None, None));
        assert_eq!(of(&[&["ab"], &["abc"]]).as_deref(), Some("((\"abc\"))"));
        let long = "0123456789".repeat(51);
        let groups = trigrams(&long).matches('"').count() / 2;
        assert_eq!(groups, limits::INDEXED_TRIGRAMS);
        let many: Vec<String> = (0..=limits::INDEXED_LITERALS).map(|i| format!("abc{i}")).collect();
        assert_eq!(expression(&[many]), None);
    }
}
