//! Stores of every version there ever was are read and upgraded. `UPDATE_STORES=1` writes one of this
//! version.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use groundswell::app::engine::{Engine, Input};
use groundswell::app::keeper::{Delivery, Ended, Keep, Keeper, Now, Stepped, Tell};
use groundswell::app::recovery;
use groundswell::base::model::{Frame, FrameBatch, LookedUp, Position, SourceInfo, WireFormat};
use groundswell::base::time::Time;
use groundswell::enroll::ClockMode;
use groundswell::notify::{Policy, Sending, feed};
use groundswell::store::db::{Db, Kind, Round, StatePart};

use crate::live::rules_of;

struct Writer;

impl Tell for Writer {
    fn policy(&self) -> Arc<Policy> {
        Arc::new(Policy::feeds(&["hook"]))
    }

    fn render(&mut self, sending: &Sending, unrecorded: Option<&str>) -> Option<Vec<u8>> {
        feed(&sending.content, &sending.key, unrecorded).map(String::into_bytes)
    }
}

fn now(second: i64) -> Now {
    let t = Time::parse_rfc3339("2026-07-04T08:00:00Z").unwrap();
    Now { clock: Time(t.0 + second * 1_000_000), uptime: Time(second * 1_000_000) }
}

/// A store with everything in it: three mentions that page, a snapshot in between, a message that
/// waits and one that was delivered.
fn write(path: &Path) {
    let rules = rules_of(
        "brands: {u: {name: United, query: united}}\nrules: [{alert: Three, when: 'mentions[1h] >= 3', severity: page}, {alert: One, when: 'mentions[1h] >= 1', severity: warn}]\n",
    );
    let ended = Ended::default();
    let mut keeper = Keeper::new(Some(Db::open(path).unwrap()), Box::new(Writer), ended.clone());
    let mut engine = Engine::new(rules.clone(), ClockMode::Recording, 1);
    engine.note_changes();
    keeper.take(Keep::Rules(rules), now(0));
    let source = Arc::new(SourceInfo { name: "forum".into(), format: WireFormat::Post });
    let mut told: Vec<Delivery> = Vec::new();
    for k in 0..5 {
        let line = format!(
            r#"{{"id":"p{k}","source":"forum","author":"a{k}","text":"united broke guitar number {k}","time":"{}","followers":{}}}"#,
            now(k).clock,
            100 * (k + 1)
        );
        let frame = Frame { bytes: line.into_bytes().into(), received: None, oversize: false };
        let batch = FrameBatch { source: source.clone(), frames: vec![frame], position: None };
        let out = engine.step(Input::Frames(batch));
        let notices = out.transitions.into_iter().map(|t| engine.notice(t)).collect();
        let position = Some(("forum".into(), Position((k + 1).to_string().into())));
        let step = Stepped { step: out.step, notices, position, received: std::time::Instant::now() };
        keeper.take(Keep::Step(Box::new(step)), now(k));
        told.extend(keeper.commit(now(k)));
        if k == 2 {
            let parts = engine.snapshot().unwrap();
            let db = keeper.db().unwrap();
            let (block, as_of, _) = db.end_of_log().unwrap();
            let round = Round { id: 0, block, as_of, fingerprint: engine.rules().fingerprint, at: now(k).clock };
            let parts = parts.into_iter().map(|p| StatePart::new(p.name, &p.bytes)).collect();
            keeper.take(Keep::Round(round, parts), now(k));
            while keeper.write_on() {}
        }
    }
    assert_eq!(told.len(), 2, "both rules fire");
    let (_, letter) = told.remove(0).letters.remove(0);
    ended.add(groundswell::store::db::LedgerRow {
        at: now(5).clock,
        episode: letter.episode,
        incident: None,
        key: letter.key,
        what: "delivered".into(),
        receiver: Some(letter.receiver),
        detail: None,
    });
    keeper.commit(now(5));
    keeper.take(Keep::Audiences(vec![looked_up()]), now(5));
    assert_eq!(keeper.write_learned().ok(), Some(false));
    keeper.db().unwrap().checkpoint().unwrap();
}

fn looked_up() -> LookedUp {
    LookedUp { account: "did:plc:a".into(), at: now(3).clock, followers: Some(7), name: Some("a.example".into()) }
}

fn stores() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/store")
}

fn version(path: &Path) -> i32 {
    let db = rusqlite::Connection::open(path).unwrap();
    db.pragma_query_value(None, "user_version", |r| r.get(0)).unwrap()
}

#[test]
fn stores_of_every_version_are_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = dir.path().join("fresh.db");
    write(&fresh);
    let newest = version(&fresh);
    if std::env::var_os("UPDATE_STORES").is_some() {
        let packed = zstd::stream::encode_all(std::fs::File::open(&fresh).unwrap(), 19).unwrap();
        std::fs::write(stores().join(format!("v{newest}.db.zst")), packed).unwrap();
    }
    for v in 1..=newest {
        let path = dir.path().join(format!("{v}.db"));
        let packed = std::fs::File::open(stores().join(format!("v{v}.db.zst")));
        let packed = packed.unwrap_or_else(|e| panic!("a store of version {v}: {e}; UPDATE_STORES=1 writes one"));
        std::fs::write(&path, zstd::stream::decode_all(packed).unwrap()).unwrap();
        assert_eq!(version(&path), v);
        let db = Db::open(&path).unwrap();
        assert_eq!(version(&path), newest);
        let kept = path.with_file_name(format!("{v}.db.v{v}"));
        assert_eq!(kept.exists(), v < newest, "a copy of how it was");
        let rebuilt = recovery::rebuild(&db, ClockMode::Recording, 1, &mut |_| true).unwrap().unwrap();
        assert_eq!((rebuilt.problems, rebuilt.missing, rebuilt.holed), (vec![], vec![], false), "version {v}");
        assert_eq!(rebuilt.engine.kept_len(), 5, "version {v}");
        let (positions, damaged) = db.positions().unwrap();
        assert_eq!((positions.get("forum").map(|p| &*p.0), damaged), (Some("5"), vec![]));
        let episodes = db.episodes(Time(0), false, 10).unwrap();
        let shown: Vec<_> = episodes.iter().map(|e| (e.alert.as_str(), e.brand.as_str(), e.phase.as_str())).collect();
        assert_eq!(shown, [("Three", "u", "firing"), ("One", "u", "firing")]);
        let waiting = db.waiting().unwrap();
        assert_eq!((waiting.len(), waiting[0].damaged), (1, false));
        assert!(waiting[0].letter.body.starts_with(b"{\"at\":\"2026-07-04T08:00:02.000Z\",\"alert\":\"Three\""));
        let ledger = db.ledger(groundswell::store::db::About::All, Time(0), 100).unwrap();
        let count = |what: &str| ledger.iter().filter(|l| l.what == what).count();
        assert_eq!([count("decided"), count("queued"), count("delivered")], [2, 2, 1]);
        let looked_up = if v < 3 { vec![] } else { vec![looked_up()] };
        assert_eq!(db.audiences(9).unwrap(), looked_up, "version {v}");
        let evidence = db.transitions(None).unwrap().remove(1).transition.unwrap().evidence.unwrap();
        assert_eq!(evidence.top[0].body.text.as_ref(), "united broke guitar number 2");
    }
}

#[test]
fn a_newer_store_is_refused_with_what_helps() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.db");
    write(&path);
    let newest = version(&path);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", newest + 1).unwrap();
    db.execute("UPDATE meta SET value = '9.9.9' WHERE name = 'written_by'", []).unwrap();
    drop(db);
    for opened in [Db::open(&path).map(drop), Db::read_only(&path).map(drop)] {
        let e = opened.unwrap_err();
        assert_eq!(e.kind, Kind::Newer);
        assert!(e.what.contains(&format!("found version {}, written by groundswell 9.9.9", newest + 1)), "{e}");
        assert!(e.hint.starts_with("install groundswell 9.9.9, or begin anew: mv "), "{}", e.hint);
    }
    // where the copy is that the upgrade left, it is the way back
    let copy = path.with_file_name(format!("s.db.v{newest}"));
    std::fs::write(&copy, b"").unwrap();
    let hint = Db::open(&path).map(drop).unwrap_err().hint;
    assert!(hint.ends_with(&format!("mv {} {}", copy.display(), path.display())), "{hint}");
}
