"""Component calls of every environment become one Pulumi program, as a person would write it.

    build.py          build(): plans → Program, in memory
      merge.py          several environments' arguments → one expression each, plus configuration
      annotations.py    a component's arguments: what they allow, what they default to
      expressions.py    expressions → formatted Python
      layout.py         the text of `__main__.py`
      archive.py        code → deterministic archives
      project_files.py  Pulumi.yaml, requirements.txt, README.md, .gitignore
    write.py          write(): Program → folder, and stale() for `--check`
      stackfile.py      Pulumi.<environment>.yaml, which we share with its user
    settings.py       read by the generated program: typed configuration
    overrides.py      read by the generated program: properties set by resource address

The generated program imports from here, so this module imports nothing.
"""
