//! Bytes of a request, as they come, to posts: one a line, or the items of a JSON array.

use bytes::Bytes;

use crate::base::limits;

/// What was found in the bytes so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// One post.
    Item(Bytes),
    /// One that is longer than a frame may be; it is not kept.
    TooLong,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// Nothing but space so far.
    Unknown,
    Lines,
    /// Within an array.
    Array,
    /// After the end of an array.
    Ended,
}

/// Splits what comes.
#[derive(Debug)]
pub(super) struct Splitter {
    form: Form,
    item: Vec<u8>,
    too_long: bool,
    depth: usize,
    text: bool,
    escape: bool,
    items: usize,
}

impl Splitter {
    pub(super) fn new() -> Splitter {
        Splitter {
            form: Form::Unknown,
            item: Vec::new(),
            too_long: false,
            depth: 0,
            text: false,
            escape: false,
            items: 0,
        }
    }

    /// Takes bytes; gives the posts that are whole now.
    ///
    /// # Errors
    /// Where an array is broken: what follows cannot be told apart.
    pub(super) fn take(&mut self, bytes: &[u8], out: &mut Vec<Piece>) -> Result<(), String> {
        let mut rest = bytes;
        if self.form == Form::Unknown {
            rest = rest.trim_ascii_start();
            match rest.split_first() {
                None => return Ok(()),
                Some((b'[', more)) => (self.form, rest) = (Form::Array, more),
                Some(_) => self.form = Form::Lines,
            }
        }
        if self.form == Form::Lines {
            self.lines(rest, out);
            return Ok(());
        }
        rest.iter().try_for_each(|b| self.byte(*b, out))
    }

    /// The end of the request.
    ///
    /// # Errors
    /// Where an array has no end.
    pub(super) fn end(mut self, out: &mut Vec<Piece>) -> Result<(), String> {
        match self.form {
            Form::Lines => self.close(out),
            Form::Array => return Err("expected `]` at the end of the array, found the end of the request".to_string()),
            Form::Unknown | Form::Ended => {}
        }
        Ok(())
    }

    fn lines(&mut self, mut rest: &[u8], out: &mut Vec<Piece>) {
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, more) = rest.split_at(end);
            self.keep(line);
            self.close(out);
            rest = more.get(1..).unwrap_or(&[]);
        }
        self.keep(rest);
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.too_long |= self.item.len() + bytes.len() > limits::FRAME_BYTES;
        if self.too_long {
            self.item = Vec::new();
        } else {
            self.item.extend_from_slice(bytes);
        }
    }

    fn close(&mut self, out: &mut Vec<Piece>) {
        let item = std::mem::take(&mut self.item);
        if std::mem::take(&mut self.too_long) {
            out.push(Piece::TooLong);
        } else if !item.trim_ascii().is_empty() {
            out.push(Piece::Item(item.into()));
        }
    }

    /// One byte within or after an array.
    fn byte(&mut self, b: u8, out: &mut Vec<Piece>) -> Result<(), String> {
        let space = matches!(b, b' ' | b'\t' | b'\r' | b'\n');
        if self.form == Form::Ended {
            return if space { Ok(()) } else { Err("expected nothing after `]`, found more".to_string()) };
        }
        if self.text {
            self.keep(&[b]);
            match (self.escape, b) {
                (true, _) => self.escape = false,
                (false, b'\\') => self.escape = true,
                (false, b'"') => self.text = false,
                _ => {}
            }
            return Ok(());
        }
        let between = self.depth == 0;
        match b {
            _ if between && space => {}
            b',' | b']' if between => return self.between(b, out),
            b'}' if between && self.item.is_empty() => {
                return Err(format!("expected an item after item {}, found `}}`", self.items));
            }
            b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.keep(&[b]);
            }
            _ => {
                self.depth += usize::from(matches!(b, b'[' | b'{'));
                self.text = b == b'"';
                self.keep(&[b]);
            }
        }
        Ok(())
    }

    fn between(&mut self, b: u8, out: &mut Vec<Piece>) -> Result<(), String> {
        let empty = self.item.is_empty() && !self.too_long;
        // `[]` is the only place where nothing may stand
        if empty && (b == b',' || self.items > 0) {
            return Err(format!("expected an item after item {}, found none", self.items));
        }
        if !empty {
            self.items += 1;
        }
        self.close(out);
        if b == b']' {
            self.form = Form::Ended;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &[u8], step: usize) -> (Vec<String>, Result<(), String>) {
        let (mut s, mut out) = (Splitter::new(), Vec::new());
        let mut result = text.chunks(step.max(1)).try_for_each(|c| s.take(c, &mut out));
        if result.is_ok() {
            result = s.end(&mut out);
        }
        let shown = out.iter().map(|p| match p {
            Piece::Item(b) => String::from_utf8_lossy(b).trim().to_string(),
            Piece::TooLong => "too long".to_string(),
        });
        (shown.collect(), result)
    }

    #[test]
    fn lines_stand_for_themselves() {
        let text = b"\n {\"a\":1}\r\n\nbroken {\n{\"b\":[2]}";
        for step in 1..text.len() {
            assert_eq!(split(text, step), (vec!["{\"a\":1}".into(), "broken {".into(), "{\"b\":[2]}".into()], Ok(())));
        }
        assert_eq!(split(b" \n ", 1), (vec![], Ok(())));
    }

    #[test]
    fn arrays_are_split_at_their_own_commas() {
        let text = br#" [ {"a":"],[\"\\"} ,{"b":[1,{"c":2}]}, 3 ] "#;
        for step in 1..text.len() {
            let want = vec![r#"{"a":"],[\"\\"}"#.to_string(), r#"{"b":[1,{"c":2}]}"#.into(), "3".into()];
            assert_eq!(split(text, step), (want, Ok(())));
        }
        assert_eq!(split(b"[]", 1), (vec![], Ok(())));
        for broken in ["[", "[1", "[1,]", "[,1]", "[1]]", "[}]", "[1,,2]", "[\"a"] {
            assert!(split(broken.as_bytes(), 1).1.is_err(), "{broken}");
        }
        assert_eq!(split(b"[{} {},3]", 1).0, ["{}{}", "3"], "without a comma they are one, which nobody can read");
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let long = "x".repeat(limits::FRAME_BYTES + 1);
        assert_eq!(split(format!("{long}\n1").as_bytes(), 4096).0, ["too long", "1"]);
        assert_eq!(split(format!("[\"{long}\",1]").as_bytes(), 4096).0, ["too long", "1"]);
    }

    proptest! {
        #[test]
        fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400), step in 1usize..50) {
            let (whole, parts) = (split(&bytes, 400), split(&bytes, step));
            prop_assert_eq!(whole, parts);
            let mut array = b"[".to_vec();
            array.extend(&bytes);
            prop_assert_eq!(split(&array, 400), split(&array, step));
        }
    }
}
