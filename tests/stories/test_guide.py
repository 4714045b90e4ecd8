"""docs/casework.md is a transcript: its commands, run again, print what it says they print."""

from pathlib import Path

from scripts.replay_guide import alike, replay

GUIDE = Path(__file__).parents[2] / "docs" / "casework.md"


def test_every_command_of_the_casework_guide_prints_what_the_guide_says() -> None:
    done = replay(GUIDE.read_text(encoding="utf-8"))
    assert len(done) > 15
    for block, said in done:
        assert alike(said) == alike(block.wanted), block.code
