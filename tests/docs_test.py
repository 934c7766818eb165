"""The documents agree with the program: finding codes, verbs, options, exit codes; and every link between documents leads somewhere."""
import os
import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
# Where a finding is made: finding({"code", ...  findings.push_back({"code", ...  Finding{"code", ...  Finding x{"code", ...
MADE = re.compile(r'\b(?:finding|(?:findings|found|attention|out)\.push_back|return|Finding(?: \w+)?)\s*\(?\s*\{"([a-z_]+)",\s*[\w"(]')
NOT_FINDINGS = {"name"}   # returned by functions that make something else


def sources():
    return [p for p in sorted((ROOT / "src").rglob("*.cc")) if not p.name.endswith("_test.cc")]


def holdfast(*arguments):
    return subprocess.run([os.environ["HOLDFAST"], *arguments], capture_output=True, text=True, check=True).stdout


def table_codes(text):
    """Codes in backquotes in the first column of the tables."""
    return {code for line in text.splitlines() if line.startswith("| `") for code in re.findall(r"`([a-z_]+)`", line.split("|")[1])}


class Docs(unittest.TestCase):
    def test_findings_of_the_program_are_documented_and_no_others(self):
        made = {code: path for path in sources() if path.parent.name != "cli" or "finding({" in path.read_text()
                for code in MADE.findall(path.read_text()) if code not in NOT_FINDINGS}
        self.assertGreater(len(made), 40)
        documented = table_codes((ROOT / "docs/findings.md").read_text())
        self.assertEqual({code: str(path) for code, path in made.items() if code not in documented}, {})
        everything = "".join(path.read_text() for path in sources())
        self.assertEqual({code for code in documented if '"%s"' % code not in everything}, set())

    def test_verbs_and_exit_codes(self):
        text = (ROOT / "docs/commands.md").read_text()
        verbs = re.findall(r"^  ([a-z]+(?:-[a-z]+)?(?: [a-z]+)?)  +\S", holdfast("--help").split("\nVerbs\n")[1].split("\n\n")[0], re.MULTILINE)
        self.assertGreater(len(verbs), 25)
        verb_table = text.split("\n## Verbs\n")[1].split("\n## ")[0]
        for verb in verbs:
            self.assertRegex(verb_table, r"`%s[` ]" % re.escape(verb))
        for name, code in re.findall(r"^\| (\d+) \| (.*?) \|", text, re.MULTILINE):
            for word in re.findall(r"`([a-z_]+)`", code):
                self.assertIn("(exit %s)" % name, holdfast("explain", word))

    def test_options_of_the_documents_exist(self):
        page = holdfast("man").replace("\\-", "-")
        for name in re.findall(r"`[^`\n]*?(--[a-z][a-z-]+)", (ROOT / "docs/commands.md").read_text()):
            self.assertTrue(name in page or name in ("--help", "--version"), name)

    def test_links_lead_somewhere(self):
        links = 0
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                file = (document.parent / path).resolve() if path else document
                self.assertTrue(file.exists(), "%s: %s" % (document, target))
                if anchor:
                    titles = {re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-") for line in file.read_text().splitlines() if line.startswith("#")}
                    self.assertIn(anchor, titles, str(document))
                links += 1
        self.assertGreater(links, 5)

    def test_documents_that_are_named_exist(self):
        for file in [*DOCUMENTS, *(p for p in (ROOT / "src").rglob("*") if p.suffix in (".cc", ".h", ".txt"))]:
            for name in re.findall(r"\bdocs/[A-Za-z0-9_./-]+\.(?:md|toml)\b", file.read_text()):
                self.assertTrue((ROOT / name).exists(), "%s names %s" % (file, name))


if __name__ == "__main__":
    unittest.main(verbosity=2)
