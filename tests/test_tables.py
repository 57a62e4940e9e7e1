"""Every operation as a table: answers against plain arithmetic, groups against their laws, files and sentences."""

import math
from itertools import permutations
from pathlib import Path

import pytest
import torch
from runs import TINY, configuration, run

from grok.runs.parts import task_of
from grok.settings.orders import own_size
from grok.tasks.groups import identity_of, is_latin, not_associative
from grok.tasks.tables import is_built_in, properties, read_table, table

ORDERS = {"Z_12": 12, "Z_4xZ_6": 24, "Z_2xZ_2xZ_3": 12, "S_3": 6, "S_4": 24, "S_5": 120, "A_4": 12, "A_5": 60}
ORDERS |= {"D_3": 6, "D_5": 10, "D_8": 16, "Q_8": 8}


@pytest.mark.parametrize("name", ORDERS)
def test_a_named_group_is_one_and_its_elements_have_names_of_their_own(name: str) -> None:
    found = table(name, ORDERS[name])
    assert own_size(name) == ORDERS[name] == len(found.answers) == len(set(found.symbols))
    words = properties(found.answers, found.symbols)
    assert words.startswith("closed, associative, identity ")
    assert ", inverses, " in words
    assert ("not commutative" in words) == (name[0] in "SADQ")


@pytest.mark.parametrize("name", ["S_3", "S_4", "A_4"])
def test_permutations_compose_as_functions_do(name: str) -> None:
    found, degree = table(name, ORDERS[name]), int(name[2])

    def as_function(symbol: str) -> tuple[int, ...]:
        image = list(range(1, degree + 1))
        for cycle in symbol.strip("e()").split(")("):
            points = [int(x) for x in cycle.split()]
            for i, x in enumerate(points):
                image[x - 1] = points[(i + 1) % len(points)]
        return tuple(image)

    maps = [as_function(symbol) for symbol in found.symbols]
    even = [
        p
        for p in permutations(range(1, degree + 1))
        if sum(p[i] > p[j] for j in range(degree) for i in range(j)) % 2 == 0
    ]
    assert sorted(maps) == (sorted(even) if name[0] == "A" else sorted(permutations(range(1, degree + 1))))
    for a, first in enumerate(maps):
        for b, second in enumerate(maps):
            assert maps[found.answers[a, b]] == tuple(first[x - 1] for x in second)


def test_quaternions_and_polygons_obey_their_relations() -> None:
    quaternions = table("Q_8", 8)
    place = {name: i for i, name in enumerate(quaternions.symbols)}
    product = {(a, b): quaternions.symbols[quaternions.answers[place[a], place[b]]] for a in place for b in place}
    assert [product[pair] for pair in (("i", "j"), ("j", "k"), ("k", "i"), ("j", "i"))] == ["k", "i", "j", "-k"]
    assert {product[x, x] for x in "ijk"} == {"-1"}
    polygon = table("D_5", 10)
    place = {name: i for i, name in enumerate(polygon.symbols)}
    turn, mirror = place["r1"], place["r0s"]
    assert polygon.symbols[polygon.answers[mirror, turn]] == "r4s"
    assert polygon.symbols[polygon.answers[turn, mirror]] == "r1s"


@pytest.mark.parametrize("p", [7, 15, 24])
def test_multiplication_and_division_are_of_the_numbers_with_an_inverse(p: int) -> None:
    products, quotients = table("multiplication", p), table("division", p)
    units = [x for x in range(p) if math.gcd(x, p) == 1]
    assert products.symbols == quotients.symbols == tuple(map(str, units))
    for a, x in enumerate(units):
        for b, y in enumerate(units):
            assert units[products.answers[a, b]] == x * y % p
            assert units[quotients.answers[a, b]] * y % p == x


def test_a_random_table_is_of_its_seed_and_repeats() -> None:
    one, again, other = (table("random", 23, seed).answers for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert not is_latin(one)


def test_what_kind_of_table_it_is_is_said_in_words() -> None:
    number = torch.arange(5)
    symbols = tuple("vwxyz")
    subtraction = (number[:, None] - number) % 5
    assert properties(subtraction, symbols) == (
        "closed, not associative, as (v·v)·w is not v·(v·w), no identity, each symbol once in every row and column"
        " (a quasigroup), not commutative"
    )
    assert properties(number[:, None] * number % 5, symbols) == (
        "closed, associative, identity w, no inverse of v, commutative"
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_table_is_associative_exactly_where_all_its_triples_are(seed: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    tables = [torch.randint(n, (n, n), generator=chance) for n in (2, 3, 3, 4)]
    tables += [torch.minimum(torch.arange(6)[:, None], torch.arange(6)), table("S_3", 6).answers]
    for answers in tables:
        n = range(len(answers))
        wrong = {(x, y, z) for x in n for y in n for z in n if answers[answers[x, y], z] != answers[x, answers[y, z]]}
        found = not_associative(answers)
        assert (found in wrong) if wrong else found is None
        identity = identity_of(answers)
        neutral = [e for e in n if all(answers[e, x] == answers[x, e] == x for x in n)]
        assert neutral == ([] if identity is None else [identity])


def test_a_table_in_a_file_has_numbers_or_names(tmp_path: Path) -> None:
    plain, named = tmp_path / "plain.csv", tmp_path / "named.csv"
    plain.write_text("0,1,2\n1,2,0\n\n2,0,1\n")
    named.write_text(",e,r,l\ne,e,r,l\nr,r,l,e\nl,l,e,r\n")
    assert torch.equal(read_table(plain)[0], read_table(named)[0])
    assert read_table(named)[1] == ["e", "r", "l"]
    assert own_size(str(plain)) == own_size(str(named)) == 3
    assert not is_built_in(str(plain))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0,1\n1,0\n", "a square table of 3 to 2,000 symbols. .* has 2 lines for 2 symbols"),
        ("0,1,2\n1,2\n2,0,1\n", "a square table. Line 2 of .* has 2 answers for 3 symbols"),
        ("0,1,2\n1,2,3\n2,0,1\n", "answer with its own symbols, 0 to 2. Line 2 of .* has '3'"),
        (",a,b,c\na,a,b,c\nb,b,x,a\nc,c,a,b\n", "answer with its own symbols, a to c. Line 3 of .* has 'x'"),
        (",a,b,c\na,a,b,c\nc,b,c,a\nb,c,a,b\n", "name each symbol once, in one order for lines and columns"),
        ("", "a square table of 3 to 2,000 symbols"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_line(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=f"`operation` must .*{sentence}"):
        read_table(file)


@pytest.mark.parametrize(
    ("operation", "p", "sentence"),
    [
        ("S_7", 113, "`operation` must be S_n with n from 3 to 6. Got 'S_7'."),
        ("A_2", 113, "`operation` must be A_n with n from 3 to 6. Got 'A_2'."),
        ("D_2", 113, "`operation` must be D_n with n of 3 or more, the symmetries of a polygon. Got 'D_2'."),
        ("Z_2", 113, "`operation` must be a group of 3 elements or more. Got 'Z_2', which has 2."),
        ("Z_999999xZ_999999", 113, "`operation` must leave a size that fits into memory. Got Z_999999xZ_999999 with"),
        ("S_5", 59, "`p` must be the number of symbols of S_5, 120, or not be given. Got 59."),
        ("multiplication", 4, "`p` must leave 3 or more numbers with an inverse for multiplication. Got 4."),
        ("nowhere.csv", 113, "`operation` must be a file that is there. Got 'nowhere.csv'."),
        ("M_11", 113, "`operation` must be one of addition, .*random; a group such as Z_4xZ_6.* Got 'M_11'."),
    ],
)
def test_operations_that_cannot_be_are_refused(operation: str, p: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        table(operation, p)


def test_a_group_brings_its_size_to_the_configuration(tmp_path: Path) -> None:
    base = ["data.train_fraction=0.5", "logger=none"]
    config = configuration(tmp_path, "data.operation=S_4", base=base)
    assert config.data.p == 24
    assert config.name.startswith("p24_")
    assert configuration(tmp_path, base=base).data.p == 113
    assert len(task_of(config).answers) == 24
    with pytest.raises(ValueError, match=r"`data.p` must be the number of symbols of S_4, 24, or not be given. Got 5."):
        task_of(configuration(tmp_path, "data.operation=S_4", "data.p=5", base=base))


def test_a_run_on_a_table_in_a_file_says_what_kind_of_table_it_is(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    names = [f"g{x}" for x in range(6)]
    rows = [[names[x] for x in row] for row in table("S_3", 6).answers.tolist()]
    lines = ["," + ",".join(names), *(",".join([name, *row]) for name, row in zip(names, rows, strict=True))]
    file.write_text("\n".join(lines))
    base = [setting for setting in TINY if not setting.startswith("data.p=")]
    folder, summary, printed = run(tmp_path / "run", f"data.operation={file}", base=base)
    assert f"{file}: 18 of 36 pairs to train on" in printed
    assert "closed, associative, identity g0, inverses, not commutative" in printed
    assert "the answers are those of a non-abelian group of 6 elements; its 2 representations stand for" in printed
    assert summary["symbols"] == names
    assert folder.read(folder.spectra).columns.tolist() == ["step", "matrix", "1", "2"]
    assert "final_keys/restricted_loss" in folder.read(folder.final_keys)


def test_units_have_fewer_symbols_than_the_modulus(tmp_path: Path) -> None:
    _, _, printed = run(tmp_path / "run", "data.operation=multiplication", "data.p=13")
    assert "multiplication mod 13: 72 of 144 pairs to train on" in printed


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as sparse:
        sparse.truncate(60_000_000)
    assert own_size(str(file)) == 113
    with pytest.raises(ValueError, match=r"`operation` must be a file of at most 50,000,000 bytes. .* has 60,000,000."):
        read_table(file)
