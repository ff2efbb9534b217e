package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSample: the sample sets nothing, shows every setting, and is right when all of it is taken out of its comments.
func TestSample(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, fileName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(Sample())
	plain, err := Load(Source{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Keys() {
		if v := plain.Get(k.Name); v.Origin.Layer != layerDefault {
			t.Errorf("the sample sets %s", v)
		}
		if !strings.Contains(Sample(), "\n#"+k.Name+" = ") || !strings.Contains(Sample(), k.Env()) {
			t.Errorf("the sample does not show %s", k.Name)
		}
	}
	var all strings.Builder
	for line := range strings.Lines(Sample()) {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") {
			line = line[1:]
		}
		all.WriteString(line)
	}
	write(all.String())
	full, err := Load(Source{Dir: dir, Profile: "ci"})
	if err != nil {
		t.Fatalf("out of its comments: %v", err)
	}
	for _, k := range Keys() {
		v := full.Get(k.Name)
		if v.Origin.Layer == layerDefault {
			t.Errorf("%s is not set by the sample out of its comments", k.Name)
		}
		if k.Default != "" && v.Text != k.Default && k.Name != "retries" && k.Name != "flaky" {
			t.Errorf("%s is %q in the sample, its default is %q", k.Name, v.Text, k.Default)
		}
	}
	if p, _ := full.Param("test_rows"); p.Text != "100000" {
		t.Errorf("the profile's parameter is %v", p)
	}
	if names := full.targetNames(); len(names) != 2 {
		t.Errorf("targets %v", names)
	}
}

func TestMisspeltVariables(t *testing.T) {
	dir := t.TempDir()
	for env, want := range map[string]string{
		"RIG_TARGTE=mariadb":        "the variable RIG_TARGTE sets nothing, did you mean RIG_TARGET?",
		"RIG_STATEMENTTIMEOUT=1s":   "the variable RIG_STATEMENTTIMEOUT sets nothing, did you mean RIG_STATEMENT_TIMEOUT?",
		"RIG_PASWORD=hunter2":       "the variable RIG_PASWORD sets nothing, did you mean RIG_PASSWORD?",
		"RIG_PARAMS_ROWS=1":         "the variable RIG_PARAMS_ROWS sets nothing, did you mean RIG_PARAM_ROWS?",
		"RIG_SOMEBODY_ELSES_KNOB=1": "",
		"RIG_TARGET=embedded":       "",
		"RIG_PARAM_TARGTE=1":        "",
		"RIGHT=1":                   "",
	} {
		c, err := Load(Source{Dir: dir, Env: []string{env}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Warnings(), "\n"); got != want {
			t.Errorf("%s: %q, want %q", env, got, want)
		}
	}
}
