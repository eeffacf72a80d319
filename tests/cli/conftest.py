import sys

import pytest
from absl import app, flags, logging


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs a command's `main` in this process with its real flags, which are taken back afterwards: (exit code, output, errors)."""
    for name in ("TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND"):
        monkeypatch.setenv(name, "")  # puts back what the command sets
    monkeypatch.delenv("KERAS_BACKEND")
    app.define_help_flags()
    before, verbosity = set(flags.FLAGS), logging.get_verbosity()

    def run(module, *arguments):
        monkeypatch.setattr(sys, "argv", [module.__name__, *arguments])
        try:
            module.main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        finally:
            for name in set(flags.FLAGS) - before:
                delattr(flags.FLAGS, name)
            flags.FLAGS.unparse_flags()
            logging.set_verbosity(verbosity)
        return code, *capsys.readouterr()

    return run
