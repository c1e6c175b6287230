//! Character references: `&nbsp;`, `&#20013;`, `&#x4E2D;`.

/// The names that table exports use. Others are kept as they are written.
const NAMES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{A0}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("hellip", '…'),
    ("mdash", '—'),
    ("ndash", '–'),
    ("middot", '·'),
    ("bull", '•'),
    ("times", '×'),
    ("divide", '÷'),
    ("plusmn", '±'),
    ("deg", '°'),
    ("micro", 'µ'),
    ("sup2", '²'),
    ("sup3", '³'),
    ("frac12", '½'),
    ("le", '≤'),
    ("ge", '≥'),
    ("ne", '≠'),
    ("infin", '∞'),
    ("permil", '‰'),
    ("yen", '¥'),
    ("euro", '€'),
    ("sect", '§'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("larr", '←'),
    ("uarr", '↑'),
    ("rarr", '→'),
    ("darr", '↓'),
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("mu", 'μ'),
];

/// Names that count without their semicolon as well.
const BARE: &[&str] = &["amp", "lt", "gt", "quot", "nbsp"];

/// Longer than any reference in use.
const LONGEST: usize = 12;

/// Resolves the references in a text.
pub(crate) fn resolve(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        match reference(after) {
            Some((character, length)) => {
                out.push(character);
                rest = after.get(length..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The character that a reference after its `&` stands for, and the reference's length.
fn reference(text: &str) -> Option<(char, usize)> {
    let body_length = text
        .bytes()
        .take(LONGEST)
        .position(|b| !b.is_ascii_alphanumeric() && b != b'#')
        .unwrap_or_else(|| text.len().min(LONGEST));
    let body = text.get(..body_length)?;
    let closed = text.as_bytes().get(body_length) == Some(&b';');
    let length = body_length + usize::from(closed);
    if let Some(number) = body.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return Some((char::from_u32(code).filter(|c| *c != '\0').unwrap_or('\u{FFFD}'), length));
    }
    if closed {
        let found = NAMES.iter().find(|(name, _)| *name == body)?;
        return Some((found.1, length));
    }
    let name = BARE.iter().find(|name| body.starts_with(**name))?;
    let found = NAMES.iter().find(|(own, _)| own == name)?;
    Some((found.1, name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_and_other_ampersands_kept() {
        assert_eq!(resolve("a&amp;b &lt;&#20013;&#x4E2D;&gt; &quot;&yen;"), "a&b <中中> \"¥");
        assert_eq!(
            resolve("A&B&nbspC &unknown; &; & &#; &#0; &#xD800;"),
            "A&B\u{A0}C &unknown; &; & &#; \u{FFFD} \u{FFFD}"
        );
        assert_eq!(resolve("张&#x20BB7;祥&"), "张𠮷祥&");
    }
}
