#!/usr/bin/env python3
"""Compares the strict reader with the parsers of others, over the corpus that the tests of `xmpp-xml`
write: what the reader accepts, expat, libxml2 and `rxml` accept, and all see one tree.

The reader refuses more than they do. `STRICTER` has the reasons that are meant.
"""

import argparse
import collections
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from trees import CONTENT, SEPARATORS, Refused, compare, expat_tree, lxml_tree, normal, rxml_trees

# Why the reader may refuse a document that expat and libxml2 accept.
STRICTER = {
    # RFC 6120 section 11.1.
    "restricted XML: comment or declaration",
    "restricted XML: processing instruction",
    # rxml refuses it.
    "not well-formed: carriage return in an attribute value",
    # User names, IP addresses in brackets, and `&`.
    "not well-formed: a namespace is not a URI",
    # The corpus wraps each document in a stream: two elements, or text beside an element.
    "not well-formed: more than one element",
    "not well-formed: text outside an element",
    # Not a namespace of the stream at the top level (RFC 6120 section 4.8.3).
    "invalid namespace",
    # An element with the prefix xml, whose namespace is no default namespace.
    "bad namespace prefix",
}


def wrap(content, document):
    head = f"<s xmlns='{content}' xmlns:stream='http://etherx.jabber.org/streams' xmlns:u='urn:up'>"
    return head.encode() + document + b"</s>"


def check_documents(lines, target):
    objections, inside, outside, refused = [], [], [], collections.Counter()
    for line in lines:
        content, document, verdict = line.split(" ", 2)
        document = wrap(content, bytes.fromhex(document))
        if verdict.startswith("="):
            inside.append(document)
            outside.append(wrap(CONTENT[0], bytes.fromhex(verdict[1:])))
            continue
        try:
            expat_tree(document), lxml_tree(document)
        except Refused:
            continue
        reason = verdict[1:]
        refused[reason] += 1
        if reason not in STRICTER:
            objections.append(f"refused, but all others accept it: {reason}\n    {document!r}")
    (read, more), (sent, most) = compare(inside, target), compare(outside, target)
    objections += more + most
    for one, other, document in zip(read, sent, inside):
        if normal(one) != other:
            objections.append(f"what is sent has another tree\n    {document!r}")
    for reason, count in sorted(refused.items()):
        print(f"  stricter {count} times: {reason}")
    return objections, len(inside)


def check_names(starts, parts):
    """expat has the same rule of names, and libxml2 and rxml accept these names."""
    objections = []
    for numbers, form in (starts, "<{}/>"), (parts, "<a{} b{}=''/>"):
        ours = set(map(int, numbers.split()))
        for number in range(0x80, 0x10100):
            if 0xD800 <= number < 0xE000:
                continue
            document = form.format(chr(number), chr(number)).encode()
            try:
                theirs = bool(expat_tree(document))
                number in ours and lxml_tree(document)
            except Refused as refused:
                theirs = False
                if number in ours:
                    objections.append(str(refused))
            if theirs and number not in ours:
                objections.append(f"U+{number:04X}: expat accepts it in a name")
    return objections


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path, help="the folder of the build, such as target/debug")
    target = parser.parse_args().target
    corpus = target.parent / "oracles"
    objections, accepted = check_documents((corpus / "documents.txt").read_text().splitlines(), target)
    objections += check_names(*(corpus / "names.txt").read_text().splitlines())
    for objection in objections[:20]:
        print(objection)
    print(f"{accepted} accepted documents, {len(objections)} objections of other parsers")
    sys.exit(bool(objections))


if __name__ == "__main__":
    main()
