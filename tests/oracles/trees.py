"""Reads documents with the parsers of deployed clients and servers.

Each reader returns the tree of a document as text, or raises `Refused`. In a tree, `(` begins an
element and `)` ends it. Its name and its attributes, in order, are `NAMESPACE|LOCAL`, and values and
texts follow; all bytes but letters and digits are written as `%XX`.
"""

import re
import subprocess
import sys
from pathlib import Path
from xml.parsers import expat

try:
    from lxml import etree
except ImportError:
    sys.exit("the package python3-lxml is missing: run with Debian's /usr/bin/python3")

# expat joins namespace and name with a separator, and refuses it in namespaces. These are in use.
SEPARATORS = "\x01", " ", "\n", "}", "|", "^"

XML = "http://www.w3.org/XML/1998/namespace"


class Refused(Exception):
    """The parser does not accept the document."""


def escape(text):
    encoded = text.encode()
    return re.sub(rb"[^A-Za-z0-9]", lambda found: b"%%%02X" % found[0][0], encoded).decode()


def start(name, attributes):
    """The start of an element; names are pairs of namespace and local name."""
    pair = lambda name: escape(name[0]) + "|" + escape(name[1])
    # Sorted by the bytes, as the reader in Rust does.
    attributes = sorted(attributes, key=lambda item: [part.encode() for part in item[0]])
    return " ".join(["(" + pair(name), *(pair(n) + "=" + escape(v) for n, v in attributes), ""])


def expat_tree(document, separator="\x01"):
    out, text = [], []

    def split(name):
        return name.split(separator) if separator in name else ["", name]

    def flush():
        out.append(escape("".join(text)))
        text.clear()

    def begin(name, attributes):
        flush()
        out.append(start(split(name), [(split(n), v) for n, v in attributes.items()]))

    def end(_):
        flush()
        out.append(")")

    parser = expat.ParserCreate(namespace_separator=separator)
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise Refused(f"expat: {error}") from None
    return "".join(out)


def lxml_tree(document):
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        # A tree of a whole document has a rule for the values of xml:id, which is one of validity,
        # not of form. Streams have no such tree.
        if any("XMLID" not in entry.type_name and "ID_REDEFINED" not in entry.type_name
               for entry in parser.error_log):
            raise Refused(f"libxml2: {error}") from None
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, recover=True))
    return element_tree(root)


def element_tree(element):
    """The tree of an element of lxml or of the standard library."""
    # A comment or an instruction is no node of a tree.
    if not isinstance(element.tag, str):
        return ""

    def split(name):
        return name[1:].split("}") if name.startswith("{") else ["", name]

    attributes = [(split(name), value) for name, value in element.items()]
    inside = "".join(element_tree(child) + escape(child.tail or "") for child in element)
    return start(split(element.tag), attributes) + escape(element.text or "") + inside + ")"


def rxml_trees(documents, target):
    """The trees of many documents. A refused document has `!` and the reason."""
    program = Path(target) / "examples" / "tree"
    lines = "".join(document.hex() + "\n" for document in documents)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


CONTENT = "jabber:client", "jabber:server", "jabber:component:accept"


def normal(tree):
    """Elements in a content namespace are in the content namespace of the stream that they are on."""
    names = "|".join(escape(name) for name in CONTENT)
    return re.sub(rf"\((?:{names})\|", f"({escape(CONTENT[0])}|", tree)


def compare(documents, target):
    """Reads documents that were sent, and returns their trees and what the parsers object."""
    trees, objections = rxml_trees(documents, target), []
    if len(trees) != len(documents):
        raise RuntimeError(f"{len(documents)} documents, but {len(trees)} trees of rxml")
    for document, tree in zip(documents, trees):
        def object_(reason):
            objections.append(f"{reason}\n    {document!r}")

        if tree.startswith("!"):
            object_(f"rxml: {tree[1:]}")
            continue
        try:
            for separator in SEPARATORS:
                if expat_tree(document, separator) != tree:
                    object_("expat sees another tree than rxml")
                    break
            if lxml_tree(document) != tree:
                object_("libxml2 sees another tree than rxml")
        except Refused as refused:
            object_(str(refused))
    return trees, objections
