package config

import (
	"fmt"
	"strings"
)

// Sample is a rig.toml with every setting in comments, each at its default, and an example of everything else. It is made
// from [Keys].
func Sample() string {
	var b strings.Builder
	b.WriteString(`# Settings of rig for this folder and those below. Whatever is in comments has the value shown by itself.
# Stronger than this file are, in this order: flags, RIG_... variables, --profile NAME, files given by --config.
# rig config shows every setting with where it comes from.

`)
	for _, k := range Keys() {
		fmt.Fprintf(&b, "# %s", k.Help)
		if len(k.Choices) > 0 {
			fmt.Fprintf(&b, " (%s)", oneOf(k.Choices))
		}
		fmt.Fprintf(&b, "\n# %s; %s\n#%s = %s\n\n", k.Flag, k.Env(), k.Name, k.sample())
	}
	b.WriteString(sampleTables)
	return b.String()
}

// sample is the default as TOML writes it; a setting without one gets an example.
func (k Key) sample() string {
	text := k.Default
	switch k.Name {
	case "seed":
		text = "42"
	case "log-level":
		text = "info,session=debug"
	case "report":
		return `["junit=out.xml"]`
	case "one-database":
		text = "playground"
	case "allow-database":
		return `["shared_data"]`
	case "tags":
		return `["!slow"]`
	}
	if k.Type == typeInt && !k.sized || k.Type == typeBool {
		return text
	}
	return fmt.Sprintf("%q", text)
}

const sampleTables = `# Values of the parameters that scripts declare with param("test_rows", ...). --test-rows; RIG_PARAM_TEST_ROWS
#[params]
#test_rows = 1000

# A profile has settings and parameters of its own: --profile ci
#[profiles.ci]
#retries = 1
#flaky = "fail"
#
#[profiles.ci.params]
#test_rows = 100000

# A target by name: --target staging. The password may also come from RIG_PASSWORD or from a prompt.
#[targets.staging]
#url = "mysql://tester@db.example:3306/"
#password-file = "/run/secrets/tester"
#tls = "verify"

# A throw-away server with options of its own: --target durable
#[targets.durable]
#kind = "mariadb"
#options = { innodb_flush_log_at_trx_commit = 1 }
`
