import re
import subprocess

from export import serving_config
from export.kit import tls

PEM = "-----BEGIN {0}-----\nMIIB+/a=\nxyz==\n-----END {0}-----\n"


def test_the_template_is_a_file_that_a_server_would_parse(folder):
    assert serving_config.parse_tls(tls.template(folder.served)).client_verify is False


def test_the_commands_in_it_write_the_pem_text_into_the_fields(folder, tmp_path):
    (tmp_path / "server.key").write_text(PEM.format("PRIVATE KEY"))
    (tmp_path / "server.crt").write_text(PEM.format("CERTIFICATE"))
    commands = "\n".join(re.findall("^#   (.*)$", tls.template(folder.served), re.MULTILINE))
    subprocess.run(["sh", "-ec", commands], cwd=tmp_path, check=True, timeout=10)
    config = serving_config.parse_tls((tmp_path / "ssl.config").read_text())
    assert (config.server_key, config.server_cert) == (PEM.format("PRIVATE KEY"), PEM.format("CERTIFICATE"))
