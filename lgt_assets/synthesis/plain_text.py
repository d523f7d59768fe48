"""Bringing text to the form in which two writings of one answer are equal. Linear in the text's length."""

import html
import re
import unicodedata

_TYPOGRAPHY = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "…": "...", "\u2044": "/"}
)  # fmt: skip
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f"))
_BOXED_LETTERS = {start + offset: 0x41 + offset for start in (0x1F150, 0x1F170) for offset in range(26)}  # 🅐, 🅰
_BEFORE_NORMALIZING = _TYPOGRAPHY | _BOXED_LETTERS
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_LATEX_COMMAND = re.compile(
    r"\\(?:boxed|fbox|text(?:bf|it|rm|tt|sf)?|math(?:rm|bf|sf|it)|mbox|operatorname|,|;|!)\s{0,3}|(?<!\w)boxed(?=\{)"
)
_LATEX_MATH = re.compile(r"\\[()\[\]]|\$([^$\n]{0,200})\$")
_HTML = re.compile(r"<(b|i|u|em|strong|p|span)>([^<>]{0,300})</\1>")
_MARKUP = re.compile(r"[*`]|__|~~|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)|\\(?=[()\[\].*_])")
# East Asian scripts have no spaces around Latin letters and digits; between the two a word ends all the same.
_SCRIPT_CHANGE = re.compile(r"(?<=[A-Za-z0-9])(?=[\u2e80-\uffee])|(?<=[\u2e80-\uffee])(?=[A-Za-z0-9])")
_ARTICLE = re.compile(r"(?:an?|the) (?=\S)")
_NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
    " nineteen twenty"
).split()
_DIGITS_BY_WORD = {word: str(number) for number, word in enumerate(_NUMBER_WORDS)}
# "the one", "this one" is a thing, not a number.
_NUMBER_WORD = re.compile(
    r"(?<![\w-])(?<!the )(?<!this )(?<!that )(?<!which )(?<!no )(?:" + "|".join(sorted(_NUMBER_WORDS, key=len, reverse=True))
    + r")(?![\w-])", re.IGNORECASE,
)  # fmt: skip
_ANY_NUMBER = re.compile(rf"\d|{_NUMBER_WORD.pattern}", re.IGNORECASE)
_EDGES = " \t\n\"'.,;:!?"


def compatible(text: str) -> str:
    """``text`` with full-width and other compatibility forms, curly quotes and long dashes made plain."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text.translate(_BEFORE_NORMALIZING))
    return text.translate(_INVISIBLE).translate(_TYPOGRAPHY)


def half_width(text: str) -> str:
    """``text`` with full-width ASCII made plain, character by character: positions stay, all else too."""
    return text if text.isascii() else text.translate(_FULL_WIDTH)


def unmarked(text: str) -> str:
    """``text`` without markdown and LaTeX wrapping, its whitespace collapsed; what is nothing but marks stays as it is."""
    text = compatible(text)
    bare = html.unescape(text) if "&" in text else text
    if "</" in bare:
        bare = _HTML.sub(r"\2", bare)
    if "\\" in bare or "$" in bare or "boxed{" in bare:
        bare, commands = _LATEX_COMMAND.subn("", bare)
        bare = _LATEX_MATH.sub(lambda match: match[1] or "", bare)
        bare = bare.replace("{", "").replace("}", "") if commands else bare
    bare = " ".join(_MARKUP.sub("", bare).split())
    bare = bare if bare.isascii() else _SCRIPT_CHANGE.sub(" ", bare)
    return bare or " ".join(text.split())


def plain(text: str) -> str:
    """The form in which answers are compared: unmarked, caseless, without surrounding quotes and punctuation."""
    bare = unmarked(text).casefold()
    return bare.strip(_EDGES) or bare


def without_article(text: str) -> str:
    """A :func:`plain` text without a leading article."""
    match = _ARTICLE.match(text)
    return text[match.end() :] if match else text


def has_numbers(text: str) -> bool:
    """Whether ``text`` holds a digit or a number word."""
    return _ANY_NUMBER.search(text) is not None


def digits_for_words(text: str) -> str:
    """``text`` with the number words from zero to twenty as digits ("two dogs" -> "2 dogs")."""
    return _NUMBER_WORD.sub(lambda match: _DIGITS_BY_WORD[match[0].casefold()], text)
