//! Archives in scratch folders.

use std::cell::RefCell;
use std::sync::Arc;

use super::*;
use crate::base::limits;
use crate::base::model::{
    AccountId, Audience, Causes, Entry, EntryBody, Gone, Negativity, Place, PostBody, PostId, PostKind, StoryId,
    StoryRef, Told,
};

const BRAND: KeyId = KeyId(0xfedc_ba98_7654_3210);
const OTHER: KeyId = KeyId(7);

fn told(id: u64, account: u64, text: &str) -> Told {
    let body = PostBody {
        source: "bluesky".into(),
        id: format!("at://p{id}").into(),
        author: format!("did:plc:a{account}").into(),
        author_name: None,
        text: text.into(),
        lang: Some("en".into()),
        url: Some(format!("https://b.example/{id}").into()),
        links: Box::default(),
        tags: Box::default(),
    };
    Told {
        key: BRAND,
        post: PostId(id ^ 0xf000_0000_0000_0000),
        account: AccountId(account),
        audience: Audience { followers: 300, known: false },
        time: Time::from_millis(1_783_175_886_240) + crate::base::time::Span::seconds(id as i64),
        n: Some(Negativity::from_milli(830)),
        causes: Causes::default(),
        kind: if text.is_empty() { PostKind::Repost } else { PostKind::Post },
        in_brand: true,
        to_own: false,
        place: Place::Root,
        text: None,
        foreign: None,
        via: "bluesky".into(),
        story: StoryRef { id: StoryId(1), name: "bluesky:p1".into() },
        body: Arc::new(body),
    }
}

fn entries(from: Seq, bodies: Vec<EntryBody>) -> Vec<Entry> {
    (from..).zip(bodies).map(|(seq, body)| Entry { seq, clock: Time(seq as i64), body }).collect()
}

fn mention(id: u64, account: u64, text: &str) -> EntryBody {
    EntryBody::Mention(Box::new(told(id, account, text)))
}

fn gone(post: u64) -> EntryBody {
    EntryBody::Delete { gone: Gone::Post(told(post, 1, "").post), keys: Default::default() }
}

fn lower(b: &PostBody) -> String {
    b.text.to_lowercase()
}

struct Scratch {
    dir: tempfile::TempDir,
    archive: Archive,
    next: Seq,
}

impl Scratch {
    fn new() -> Scratch {
        let dir = tempfile::tempdir().unwrap();
        let archive = Archive::open(&dir.path().join("x.archive.db")).unwrap();
        Scratch { dir, archive, next: 1 }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("x.archive.db")
    }

    fn take(&mut self, bodies: Vec<EntryBody>) {
        let n = bodies.len();
        assert_eq!(self.archive.take(&entries(self.next, bodies), &lower).unwrap(), n);
        self.next += n as Seq;
    }

    fn texts(&self, asked: &Asked) -> Vec<String> {
        texts(&self.archive, asked)
    }

    fn all(&self) -> Vec<String> {
        self.texts(&Asked::default())
    }

    /// Everything in its files.
    fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.dir.path()).unwrap();
        files.flat_map(|f| std::fs::read(f.unwrap().path()).unwrap()).collect()
    }

    fn sound(&self) {
        let one = |sql: &str| self.archive.db.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(one("PRAGMA integrity_check"), "ok");
        // 1: compare with the texts of the posts too
        self.archive.db.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)", []).unwrap();
    }
}

fn texts(archive: &Archive, asked: &Asked) -> Vec<String> {
    let mut out = Vec::new();
    let n = archive.search(asked, &mut |a| out.push(a.text.to_string())).unwrap();
    assert_eq!(n, out.len() as u64);
    out.sort();
    out
}

fn needs(literal: &str) -> Asked {
    Asked { needs: vec![vec![literal.to_string()]], ..Asked::default() }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

fn trouble(result: Result<Archive, ArchiveError>) -> Trouble {
    let e = result.err().unwrap();
    let shown = e.to_string();
    assert!(shown.starts_with("expected ") && shown.contains(", found ") && !e.hint().is_empty(), "{shown}");
    e.trouble
}

#[test]
fn an_archive_lies_beside_its_store() {
    assert_eq!(archive_path(Path::new("/x/groundswell.db")), Path::new("/x/groundswell.archive.db"));
    assert_eq!(archive_path(Path::new("a.b.db")), Path::new("a.b.archive.db"));
    assert_eq!(archive_path(Path::new("data")), Path::new("data.archive.db"));
}

#[test]
fn a_post_comes_back_as_it_was() {
    let mut s = Scratch::new();
    let mut t = told(1, 1, "United\0 broke \"my\" guitar 😀");
    t.causes.add(crate::base::model::Cause::Damage);
    let mut body = (*t.body).clone();
    body.links = ["https://v.example/\"1\"".into()].into();
    body.tags = ["Fail".into(), "日本".into()].into();
    body.author_name = Some("Dave".into());
    t.body = Arc::new(body);
    s.take(vec![EntryBody::Mention(Box::new(t.clone()))]);
    let read = s.archive.search(&Asked::default(), &mut |a| {
        assert_eq!((a.post, a.account, a.time, a.kind, a.n), (t.post, t.account, t.time, t.kind, t.n));
        assert_eq!((a.causes, a.followers, a.known), (t.causes, 300, false));
        assert_eq!((a.source, a.id, a.author, a.name), ("bluesky", &*t.body.id, "did:plc:a1", Some("Dave")));
        assert_eq!((a.lang, a.url, a.text), (Some("en"), Some("https://b.example/1"), &*t.body.text));
        assert_eq!(
            (&a.links[..], &a.tags[..]),
            (&["https://v.example/\"1\"".to_string()][..], &["Fail".into(), "日本".into()][..])
        );
    });
    assert_eq!(read.unwrap(), 1);
    let extent = s.archive.extent().unwrap();
    assert_eq!(extent, Extent { mark: 1, at: Time(1), posts: 1, oldest: Some(t.time) });
    s.sound();
}

#[test]
fn several_brands_share_one_post_and_copies_add_nothing() {
    let mut s = Scratch::new();
    let (a, b) = (told(1, 1, "alpha"), Told { key: OTHER, ..told(1, 1, "alpha") });
    let copy = Told { key: KeyId(9), foreign: Some(BRAND), ..told(1, 1, "alpha") };
    let alone = Told { foreign: Some(BRAND), ..told(2, 2, "copied") };
    let bodies = vec![
        EntryBody::Mention(Box::new(a)),
        EntryBody::Share(Box::new(b)),
        EntryBody::Mention(Box::new(copy)),
        EntryBody::Mention(Box::new(alone)),
        EntryBody::Own(Box::new(Told { key: OTHER, ..told(3, 3, "we are sorry") })),
        EntryBody::Share(Box::new(told(4, 4, ""))),
        EntryBody::Tick,
    ];
    s.take(bodies);
    assert_eq!(s.all(), ["", "alpha", "we are sorry"]);
    let of = |key| s.texts(&Asked { key: Some(key), ..Asked::default() });
    assert_eq!(
        (of(BRAND), of(OTHER)),
        (vec!["".into(), "alpha".into()], vec!["alpha".into(), "we are sorry".to_string()])
    );
    assert_eq!((s.archive.has_key(OTHER), s.archive.has_key(KeyId(9))), (Ok(true), Ok(false)));
    let both = Asked { key: Some(OTHER), ..needs("lph") };
    assert_eq!(
        (s.texts(&both), s.texts(&Asked { key: Some(KeyId(9)), ..both.clone() })),
        (vec!["alpha".to_string()], vec![])
    );
    s.sound();
}

#[test]
fn finds_by_time_newest_first() {
    let mut s = Scratch::new();
    s.take((1..=9).map(|i| mention(i, i, &format!("post {i}"))).collect());
    let at = |i| Some(told(i, 1, "").time);
    let mut order = Vec::new();
    s.archive
        .search(&Asked { since: at(3), until: at(6), ..Asked::default() }, &mut |a| order.push(a.text.to_string()))
        .unwrap();
    assert_eq!(order, ["post 5", "post 4", "post 3"]);
    assert_eq!(s.texts(&Asked { since: at(3), until: at(6), ..needs("post") }).len(), 3);
    let (mut order, asked) = (Vec::new(), Asked { since: at(8), key: Some(BRAND), ..Asked::default() });
    s.archive.search(&asked, &mut |a| order.push(a.text.to_string())).unwrap();
    assert_eq!(order, ["post 9", "post 8"]);
}

#[test]
fn entries_are_taken_once() {
    let mut s = Scratch::new();
    let all = entries(1, (1..=6).map(|i| mention(i, 1, &format!("post {i}"))).collect());
    assert_eq!(s.archive.mark(), Ok(0));
    let counts =
        [(0, 4), (0, 4), (2, 6), (0, 6), (6, 6)].map(|(from, to)| s.archive.take(&all[from..to], &lower).unwrap());
    assert_eq!(counts, [4, 0, 2, 0, 0]);
    drop(s.archive);
    s.archive = Archive::open(&s.dir.path().join("x.archive.db")).unwrap();
    assert_eq!((s.archive.mark(), s.archive.take(&all, &lower)), (Ok(6), Ok(0)));
    assert_eq!(s.all().len(), 6);
    s.sound();
}

#[test]
fn what_is_learned_of_an_account_is_learned_of_all_its_posts() {
    let mut s = Scratch::new();
    let learned = |followers| EntryBody::AudienceLearned {
        account: AccountId(1),
        followers,
        name: (followers > 50).then(|| "maeve.example".into()),
        keys: Default::default(),
    };
    let known = Told { audience: Audience { followers: 80, known: true }, ..told(3, 1, "c") };
    s.take(vec![mention(1, 1, "a"), learned(5000), mention(2, 1, "b"), mention(9, 2, "other")]);
    let seen = |s: &Scratch| {
        let mut out = Vec::new();
        let each = &mut |a: &Archived<'_>| out.push((a.account.0, a.followers, a.known, a.name.map(str::to_string)));
        s.archive.search(&Asked::default(), each).unwrap();
        out.sort();
        out.dedup();
        out
    };
    let name = Some("maeve.example".to_string());
    assert_eq!(seen(&s), [(1, 5000, true, name.clone()), (2, 300, false, None)], "imputed ones do not undo known ones");
    s.take(vec![EntryBody::Mention(Box::new(known))]);
    assert_eq!(seen(&s)[0], (1, 80, true, name.clone()));
    s.take(vec![learned(50)]);
    assert_eq!(seen(&s)[0], (1, 50, true, name));
}

#[test]
fn an_edit_replaces_text_and_index() {
    let mut s = Scratch::new();
    s.take(vec![mention(1, 1, "before words"), mention(2, 2, "stays")]);
    let edited = Told { key: OTHER, n: None, time: Time(5), ..told(1, 1, "after words") };
    s.take(vec![EntryBody::Edit(Box::new(edited)), EntryBody::Edit(Box::new(told(3, 3, "first seen as an edit")))]);
    assert_eq!(s.all(), ["after words", "first seen as an edit", "stays"]);
    assert_eq!((s.texts(&needs("before")), s.texts(&needs("after"))), (vec![], vec!["after words".to_string()]));
    let since = Asked { since: Some(told(1, 1, "").time), key: Some(OTHER), ..Asked::default() };
    assert_eq!(s.texts(&since), ["after words"], "time stays");
    assert!(!holds(&s.bytes(), "before words"));
    s.sound();
}

#[test]
fn what_is_deleted_is_in_no_byte_of_the_files() {
    let mut s = Scratch::new();
    let text = |i: u64| format!("Marker{i:05}z {} QJX{i:05}", "lorem ipsum ".repeat((i * 7 % 40) as usize));
    for part in 0..10u64 {
        s.take((part * 300..part * 300 + 300).map(|i| mention(i, i % 50, &text(i))).collect());
    }
    assert!(holds(&s.bytes(), "Marker00700z") && holds(&s.bytes(), "did:plc:a17") && holds(&s.bytes(), "at://p700"));
    let lost = |i: u64| i.is_multiple_of(3) || i % 50 == 17;
    for part in 0..10u64 {
        s.take((part * 300..part * 300 + 300).filter(|i| i.is_multiple_of(3)).map(gone).collect());
        s.take((3000 + part * 90..3090 + part * 90).map(|i| mention(i, 90, &text(i))).collect());
    }
    s.take(vec![EntryBody::Delete { gone: Gone::Account(AccountId(17)), keys: Default::default() }]);
    assert!(!s.archive.unsettled);
    let bytes = s.bytes();
    for i in (0..3000).filter(|i| lost(*i)) {
        for trace in
            [format!("arker{i:05}"), format!("qjx{i:05}"), format!("b.example/{i}\""), format!("at://p{i}\u{0}")]
        {
            assert!(!holds(&bytes, &trace), "{trace}");
        }
    }
    assert!(!holds(&bytes, "did:plc:a17"), "an account without posts leaves");
    assert!((0..3900).filter(|i| *i >= 3000 || !lost(*i)).all(|i| holds(&bytes, &format!("Marker{i:05}"))));
    let kept = 3900 - (0..3000).filter(|i| lost(*i)).count();
    assert_eq!((s.all().len(), s.texts(&needs("marker")).len()), (kept, kept));
    assert_eq!(s.archive.extent().unwrap().posts, 3900, "that they were there stays");
    // an edit, or a frame that is told once more, brings nothing back
    s.take(vec![EntryBody::Edit(Box::new(told(0, 1, "again"))), mention(3, 1, "again")]);
    assert_eq!(s.all().len(), kept);
    s.sound();
}

#[test]
fn rare_letters_leave_the_index_too() {
    let mut s = Scratch::new();
    let rare = "ζξψ ωχφ";
    s.take((0..500).map(|i| mention(i, i, &format!("common words {i}"))).collect());
    s.take(vec![mention(900, 900, rare)]);
    s.take((1000..1500).map(|i| mention(i, i, &format!("more words {i}"))).collect());
    let vocabulary = |s: &Scratch| {
        s.archive
            .db
            .execute_batch("CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab('main', 'words', 'row')")
            .unwrap();
        let mut find = s.archive.db.prepare("SELECT term FROM temp.terms").unwrap();
        find.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    assert!(vocabulary(&s).contains(&"ζξψ".to_string()) && holds(&s.bytes(), "ζξψ"));
    s.take(vec![gone(900)]);
    assert!(!vocabulary(&s).contains(&"ζξψ".to_string()));
    assert!(!holds(&s.bytes(), "ζξψ") && !holds(&s.bytes(), "ωχφ") && !holds(&s.bytes(), "ξψ ω"));
    s.sound();
}

#[test]
fn a_reader_does_not_keep_deleted_texts_in_the_log_for_ever() {
    let mut s = Scratch::new();
    s.take(vec![mention(1, 1, "to be gone"), mention(2, 2, "stays")]);
    let reader = Archive::read_only(&s.path()).unwrap();
    {
        let held = reader.db.unchecked_transaction().unwrap();
        let count: i64 = held.query_row("SELECT count(*) FROM posts", [], |row| row.get(0)).unwrap();
        s.take(vec![gone(1)]);
        assert!(s.archive.unsettled && count == 2, "somebody reads the old state");
        assert!(holds(&s.bytes(), "to be gone"));
    }
    s.take(vec![EntryBody::Tick]);
    assert!(!s.archive.unsettled && !holds(&s.bytes(), "to be gone"));
}

#[test]
fn reads_while_it_is_written() {
    let mut s = Scratch::new();
    s.take((1..=200).map(|i| mention(i, i, &format!("post {i}"))).collect());
    let reader = Archive::read_only(&s.path()).unwrap();
    let (writer, seen) = (RefCell::new(&mut s), RefCell::new(0));
    reader
        .search(&needs("post"), &mut |_| {
            let mut s = writer.borrow_mut();
            *seen.borrow_mut() += 1;
            let id = s.next;
            s.take(vec![mention(id, id, &format!("post {id}"))]);
        })
        .unwrap();
    assert_eq!((*seen.borrow(), reader.mark()), (200, Ok(400)), "one look sees one state");
    assert_eq!(texts(&reader, &needs("post")).len(), 400);
    let refused =
        Archive::read_only(&writer.borrow().path()).unwrap().take(&entries(900, vec![EntryBody::Tick]), &lower);
    assert_eq!(refused.unwrap_err().trouble, Trouble::ReadOnly);
}

#[test]
fn the_oldest_leave_in_slices() {
    let mut s = Scratch::new();
    let long = "x".repeat(limits::KEPT_TEXT_BYTES);
    s.take((0..2000).map(|i| mention(i, i / 2, &format!("post {i:04} {long}"))).collect());
    s.take(vec![gone(3)]);
    let full = s.archive.size_bytes().unwrap();
    let before = told(1000, 1, "").time;
    let slices: Vec<usize> = (0..5).map(|_| s.archive.forget(before, 300).unwrap()).collect();
    assert_eq!(slices, [300, 300, 300, 100, 0]);
    let left = s.all();
    assert_eq!((left.len(), &left[0][..9]), (1000, "post 1000"));
    assert_eq!(s.texts(&needs("0999")), Vec::<String>::new());
    let accounts: i64 = s.archive.db.query_row("SELECT count(*) FROM accounts", [], |row| row.get(0)).unwrap();
    assert_eq!(accounts, 500);
    let used = s.archive.size_bytes().unwrap();
    assert!(used < full * 2 / 3, "{used} of {full} bytes");
    while s.archive.forget(Time(i64::MAX), usize::MAX).unwrap() > 0 {}
    assert_eq!(s.archive.forget(Time(i64::MAX), 1), Ok(0));
    let pages: i64 = s.archive.db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    assert!(pages < 40, "{pages} pages are left of an empty archive");
    s.sound();
}

#[test]
fn other_files_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("text"), "not a database, but long enough to look at: ".repeat(99)).unwrap();
    rusqlite::Connection::open(at("other.db"))
        .unwrap()
        .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        .unwrap();
    let other = rusqlite::Connection::open(at("newer.db")).unwrap();
    drop(Archive::open(&at("x.archive.db")).unwrap());
    drop(other);
    std::fs::copy(at("x.archive.db"), at("newer.db")).unwrap();
    rusqlite::Connection::open(at("newer.db")).unwrap().pragma_update(None, "user_version", 2).unwrap();
    for (name, wanted) in [("text", Trouble::Foreign), ("other.db", Trouble::Foreign), ("newer.db", Trouble::Newer(2))]
    {
        let before = std::fs::read(at(name)).unwrap();
        assert_eq!(trouble(Archive::open(&at(name))), wanted, "{name}");
        assert_eq!(trouble(Archive::read_only(&at(name))), wanted, "{name}");
        assert!(std::fs::read(at(name)).unwrap() == before, "{name} is as it was");
    }
    assert_eq!(trouble(Archive::read_only(&at("none.db"))), Trouble::Missing);
    assert!(!at("none.db").exists());
    assert_eq!(trouble(Archive::open(&at("no/folder/x.db"))), Trouble::Unopenable);
    assert_eq!(trouble(Archive::open(dir.path())), Trouble::Unopenable);
    std::fs::write(at("empty.db"), "").unwrap();
    assert_eq!(trouble(Archive::read_only(&at("empty.db"))), Trouble::Foreign);
    assert_eq!(Archive::open(&at("empty.db")).unwrap().mark(), Ok(0));
}

#[test]
fn damage_is_told() {
    let mut s = Scratch::new();
    s.take((0..500).map(|i| mention(i, i, &format!("post {i}"))).collect());
    s.archive.settle();
    let whole = std::fs::read(s.path()).unwrap();
    let damaged = |bytes: &[u8]| {
        let path = s.dir.path().join("damaged.db");
        std::fs::write(&path, bytes).unwrap();
        path
    };
    assert_eq!(trouble(Archive::open(&damaged(&whole[..whole.len() / 3]))), Trouble::Damaged, "cut off");
    let mut holes = whole.clone();
    holes[8192..].fill(0x5a);
    assert_eq!(trouble(Archive::open(&damaged(&holes))), Trouble::Damaged, "written over");
    // found when it is met
    let mut late = whole.clone();
    let middle = memchr::memmem::find(&whole, b"post 250").unwrap() / 4096 * 4096;
    late[middle..middle + 4096].fill(0xff);
    let archive = Archive::read_only(&damaged(&late));
    let met = archive.and_then(|a| a.search(&Asked::default(), &mut |_| {}));
    assert_eq!(met.unwrap_err().trouble, Trouble::Damaged);
}

#[test]
fn two_writers_take_turns() {
    let mut s = Scratch::new();
    let mut second = Archive::open(&s.path()).unwrap();
    let all = entries(1, (1..=4).map(|i| mention(i, 1, &format!("post {i}"))).collect());
    assert_eq!(
        (s.archive.take(&all[..2], &lower), second.take(&all, &lower), s.archive.take(&all, &lower)),
        (Ok(2), Ok(2), Ok(0))
    );
    assert_eq!(s.all().len(), 4);
}
