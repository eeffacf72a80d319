"""A template for the file that gives the server's gRPC port TLS."""

from export import serving_config
from export.kit import served


def template(of: served.Served) -> str:
    """SSLConfig with placeholders, and how to fill them."""
    text = f"""\
# TLS for gRPC. REST has none: put a proxy before it. The fields hold the PEM text itself, with \\n for each end of a line. To write it:
#   pem() {{ awk '{{ printf "%s\\\\n", $0 }}' "$1"; }}
#   printf 'server_key: "%s"\\nserver_cert: "%s"\\n' "$(pem server.key)" "$(pem server.crt)" > ssl.config
# Mount it as a secret, readable for the server's user alone, and start the server with --ssl_config_file={of.base_path}/ssl.config. A file
# ssl.config beside models.config is checked by each export; the image of deploy/Dockerfile does not take it.
server_key: "-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----\\n"
server_cert: "-----BEGIN CERTIFICATE-----\\n...\\n-----END CERTIFICATE-----\\n"
# For clients that must show a certificate of your own authority: its PEM text, and true below.
# custom_ca: "-----BEGIN CERTIFICATE-----\\n...\\n-----END CERTIFICATE-----\\n"
client_verify: false
"""
    serving_config.parse_tls(text)
    return text
