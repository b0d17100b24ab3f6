//! The patterns of the word test, and the search for them in a text.

/// Pronouns that replace the name of the subject.
const PRONOUNS: &[&str] = &["whoever", "nobody", "somebody", "anybody"];

/// First words of a function name that make it a riddle.
const NAME_STARTS: &[&str] = &[
    "what", "who", "whose", "where", "nobody", "whoever", "somebody", "anybody",
];

/// Phrases, as words that follow each other. `*` is any word. They are compared in lower case.
const PHRASES: &[&str] = &[
    "is none",
    "are none",
    "was none",
    "were none",
    "says of itself",
    "say of themselves",
    "what became of",
    "what came of",
    "what comes of",
    "comes into the way",
    "comes in the way",
    "came into the way",
    "come into each other's way",
    "comes into another's way",
    "came into another's way",
    "stands in the way",
];

/// A word, or a character that ends a phrase.
struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphanumeric() || c == '_')
    }
}

/// The riddles of a text, each with its line.
pub fn riddles(text: &str) -> Vec<(usize, String)> {
    let tokens = tokens(text);
    let mut riddles = title_riddles(text);
    for index in 0..tokens.len() {
        let line = tokens[index].line;
        let rest = &tokens[index..];
        if let Some(pattern) = name_riddle(&tokens, index) {
            riddles.push((line, pattern));
        }
        riddles.extend(
            PHRASES
                .iter()
                .filter(|it| follows(rest, it))
                .map(|it| (line, (*it).to_owned())),
        );
        if is_no(&tokens, index) {
            riddles.push((line, "is no …".to_owned()));
        }
        if what_says(rest) {
            riddles.push((line, "what … says".to_owned()));
        }
    }
    riddles
}

/// Titles of browser tests, such as `'what is stored is shown': async (tab) => {`, that begin as a riddle.
fn title_riddles(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate();
    let titles = lines.filter_map(|(index, line)| {
        let (title, _) = line
            .trim_start()
            .strip_prefix('\'')?
            .split_once("': async")?;
        let first = title.split(' ').next()?.to_lowercase();
        let is_riddle = NAME_STARTS.contains(&first.as_str());
        is_riddle.then(|| (index + 1, format!("title: {first} …")))
    });
    titles.collect()
}

/// Splits a text into words and the characters between them, without the marks of comments.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line
            .trim_start()
            .trim_start_matches(['/', '!', '*', '#', '-', '>']);
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '\'';
            let length = match first {
                '\'' => 1,
                first if is_part(first) => rest.find(|c| !is_part(c)).unwrap_or(rest.len()),
                first => first.len_utf8(),
            };
            let (token, after) = rest.split_at(length);
            if !first.is_whitespace() {
                tokens.push(Token {
                    text: token.to_lowercase(),
                    line: index + 1,
                });
            }
            rest = after;
        }
    }
    tokens
}

/// A pronoun, also within a name, or a name of a function that begins or ends with a riddle.
fn name_riddle(tokens: &[Token], index: usize) -> Option<String> {
    let text = tokens[index].text.as_str();
    let mut parts = text.split('_');
    if let Some(pronoun) = parts.find(|part| PRONOUNS.contains(part)) {
        return Some(pronoun.to_owned());
    }
    if index == 0 || tokens[index - 1].text != "fn" || !text.contains('_') {
        return None;
    }
    let first = text.split('_').next().unwrap_or_default();
    if NAME_STARTS.contains(&first) {
        return Some(format!("name: {first}_"));
    }
    let phrases = ["is_none", "are_none", "is_no", "are_no"];
    let named = format!("_{text}_");
    let found = phrases
        .iter()
        .find(|phrase| named.contains(&format!("_{phrase}_")));
    // A predicate such as `is_none` has the name of a standard one.
    found
        .filter(|phrase| text != **phrase)
        .map(|phrase| format!("name: {phrase}"))
}

/// Whether the tokens begin with the words of the phrase.
fn follows(tokens: &[Token], phrase: &str) -> bool {
    let mut tokens = tokens.iter();
    phrase.split(' ').all(|word| {
        let token = tokens.next();
        token.is_some_and(|token| token.is_word() && (word == "*" || token.text == word))
    })
}

/// "X is no Y". "There is no Y" and "is no longer" are plain English.
fn is_no(tokens: &[Token], index: usize) -> bool {
    let is_after_there = index > 0 && tokens[index - 1].text == "there";
    let is_verb = ["is", "are", "was", "were"].contains(&tokens[index].text.as_str());
    let Some([no, next]) = tokens.get(index + 1..index + 3) else {
        return false;
    };
    is_verb && !is_after_there && no.text == "no" && next.is_word() && next.text != "longer"
}

/// "What the document says": a clause without a subject, within one sentence.
fn what_says(tokens: &[Token]) -> bool {
    const LONGEST: usize = 8;
    tokens[0].text == "what"
        && tokens
            .iter()
            .take(LONGEST)
            .take_while(|token| token.is_word())
            .any(|token| token.text == "says")
}

#[test]
fn riddles_are_found_with_their_lines() {
    let found = |text: &str| -> Vec<String> {
        riddles(text)
            .into_iter()
            .map(|(line, pattern)| format!("{line} {pattern}"))
            .collect()
    };
    assert_eq!(found("// one\n// for Whoever asks"), ["2 whoever"]);
    assert_eq!(found("/// A number that is\n/// none."), ["1 is none"]);
    assert_eq!(found("fn two_keys_are_none() {}"), ["1 name: are_none"]);
    assert_eq!(found("async fn what_is_hidden() {}"), ["1 name: what_"]);
    assert_eq!(found("Caller::anybody()"), ["1 anybody"]);
    assert_eq!(found("-- A megabyte is no token."), ["1 is no …"]);
    assert_eq!(found("What the document says"), ["1 what … says"]);
    assert_eq!(
        found("  'what is stored is shown': async (tab) => {"),
        ["1 title: what …"]
    );
    assert_eq!(
        found("They come into each other's way."),
        ["1 come into each other's way"]
    );

    assert_eq!(
        found("There is no such session. It is no longer valid."),
        [""; 0]
    );
    assert_eq!(found("if value.is_none() { None }"), [""; 0]);
    assert_eq!(
        found("whether it is `None`; the default is `none`"),
        [""; 0]
    );
    assert_eq!(
        found("Returns what Redis stores. The caller says yes."),
        [""; 0]
    );
}
