"""The products of the sample shop: musical instruments, with titles in many scripts.

YAML, a shell or a terminal could misread some titles: ``no``, ``007``, ``1:30``, a backslash.
"""
# ruff: noqa: RUF001 - Greek and Cyrillic letters are intended

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SHELVES: Final[Mapping[str, Mapping[int, str]]] = {
    "electric-guitars": {
        101: "Halden Comet, sunburst",
        102: "Halden Comet, left-handed",
        103: "Moravan M-12, dvanáctistrunná",
        104: "Kestrel Flying Fish – čierna lesklá",
        105: "Kestrel Flying Fish – bílá",
        106: 'Halden Baritone 27"',
        107: "Halden Comet (2024)",
        108: "🎸 Starter set: guitar, amp & cable",
    },
    "strings": {
        121: "Strings: 10-46",
        122: "Strings: 11-52 'heavy'",
        123: "Strings: 9-42 #1",
        124: "Struny nylonové, vysoké napětí",
        125: "Basssaiten 45–105, vierfach",
        126: "Χορδές μπουζουκιού, οκτάχορδο",
        127: "Струни для бандури, 61 шт.",
        128: "三味線の糸(絹)",
    },
    "acoustic-guitars": {
        141: "Moravan D-2 „Bukovina“: smrek & palisander",
        142: "Moravan OM-3, celomasív",
        143: "Konzertgitarre 4/4, Fichte",
        144: "Kindergitarre 1/2, für Mädchen und Jungen",
        145: "Cestovná gitara, skladacia",
        146: "Moravan D-1 (dopredaj)",
        147: 'Gypsy jazz guitar "Manouche"',
        148: "Ukulele, sopránové – ľahké ako pierko",
    },
    "basses": {
        161: "Halden Low Tide 4",
        162: "Halden Low Tide 5",
        163: "Kestrel Heron, bezpražcová",
        164: "Kontrabass 3/4, laminiert",
        165: "Akustická basgitara, mahagón",
        166: 'Short-scale bass 30"',
    },
    "keyboards": {
        181: "Stage piano 88, weighted",
        182: "Stage piano 73, weighted",
        183: "Syntezátor MS-1: analógový",
        184: "Akkordeon, 72 Bässe",
        185: "Kinderkeyboard 🐻",
        186: "Organ module B#3",
        187: "Digitální piano, bílé",
        188: "Melodika 32",
    },
    "drums": {
        201: 'Große Trommel 22"',
        202: 'Snare 14" × 5,5"',
        203: 'Splash cymbal 12" \\ thin',
        204: 'Hi-hat 14"',
        205: "Elektronická bicia súprava E-1",
        206: "Elektronická bicia súprava E-2",
        207: "Cajón, breza",
        208: "Djembe, 30 cm",
        209: "دربكة نحاسية",
    },
    "accessories": {
        231: "Capo, čierne",
        232: "Gitarrengurt aus Leder",
        233: "Cable 6 m, angled",
        234: "String winder & cutter",
        235: "Ladička s klipom",
        236: "Metronome 1:30",
        237: "Stojan na noty, skládací",
        238: "Piano bench, height-adjustable",
        239: "Drumsticks 5A, hickory",
        240: "Leštiaca utierka",
    },
    "amplifiers": {
        251: "Combo 15 W, lampové",
        252: "Combo 50 W, tranzistorové",
        253: "Bassverstärker 300 W",
        254: "Zosilňovač na slúchadlá",
        255: 'Pedal "Rusty Nail" – overdrive',
        256: "Pedal 007",
        257: "Reproduktor 4×12",
    },
    "wind": {
        271: "Blockflöte, Birnbaum",
        272: "Zobcová flétna, sopránová",
        273: "Klarinet B♭",
        274: "Altový saxofón, lakovaný",
        275: "Trúbka pre žiakov",
        276: "Tuba BB♭, 4 ventily",
        277: "Harmonica in C",
        278: "Kazoo",
    },
    "folk": {
        291: "Fujara, čierna baza, 170 cm",
        292: "Cimbál, malý",
        293: "Τρίχορδο μπουζούκι",
        294: "Бандура «Чернігівка»",
        295: "عود شامي مصنوع يدويًا",
        296: "津軽三味線(花梨)",
        297: "Gajdy, Zázrivá",
        298: "Hackbrett, Ahorn",
    },
    "sheet-music": {
        311: "no",
        312: "007",
        313: 'AC\\DC – Songbook: "Back in Black"',
        314: "הבה נגילה – תווים לפסנתר",
        315: "さくらさくら(箏曲譜)",
        316: "Щедрик – ноти для хору",
        317: "Σύννεφα: 12 κομμάτια για πιάνο",
        318: "Ľudové piesne z Liptova, 1. diel",
        319: "Für Elise & 20 weitere Stücke",
        320: "Škola hry na klavír – 2. vydání",
    },
    "services": {
        341: "Darčeková poukážka 50 €",
        342: "Lekce kytary, 5×",
        343: "Instrument insurance, 1 year",
        344: "👩‍🎤 Stage photo shooting",
    },
}
"""Titles by number and shelf; the item 123 has the identity ``/p/123/``."""

DISCONTINUED: Final = {107: 101, 146: 141, 205: 206}
"""Item that left the catalog → its successor."""


def build_identity(number: int) -> str:
    """Return the identity of an item."""
    return f"/p/{number}/"


def list_titles() -> dict[int, str]:
    """Return the title of each item by its number."""
    titles: dict[int, str] = {}
    for shelf in SHELVES.values():
        titles.update(shelf)
    return titles
