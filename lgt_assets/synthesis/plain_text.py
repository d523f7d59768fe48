"""Bringing text to the form in which two writings of one answer are equal. Linear in the text's length."""

import re
import unicodedata

_TYPOGRAPHY = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "…": "..."}
)
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_LATEX_COMMAND = re.compile(r"\\(?:boxed|fbox|text(?:bf|it|rm|tt)?|math(?:rm|bf|sf|it)|,|;|!)\s{0,3}")
_LATEX_MATH = re.compile(r"\\[()\[\]]|\$([^$\n]{0,200})\$")
_MARKUP = re.compile(r"[*`]|__|~~|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)|\\(?=[()\[\].*_])")
# East Asian scripts have no spaces around Latin letters and digits; between the two a word ends all the same.
_SCRIPT_CHANGE = re.compile(r"(?<=[A-Za-z0-9])(?=[\u2e80-\uffee])|(?<=[\u2e80-\uffee])(?=[A-Za-z0-9])")
_ARTICLE = re.compile(r"(?:an?|the) (?=\S)")
_EDGES = " \t\n\"'.,;:!?"


def compatible(text: str) -> str:
    """``text`` with full-width and other compatibility forms, curly quotes and long dashes made plain."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHY)).translate(_INVISIBLE).translate(_TYPOGRAPHY)


def half_width(text: str) -> str:
    """``text`` with full-width ASCII made plain, character by character: positions stay, all else too."""
    return text if text.isascii() else text.translate(_FULL_WIDTH)


def unmarked(text: str) -> str:
    """``text`` without markdown and LaTeX wrapping, its whitespace collapsed; what is nothing but marks stays as it is."""
    text = compatible(text)
    bare = text
    if "\\" in bare or "$" in bare:
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
