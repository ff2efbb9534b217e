package script

import "testing"

func TestMasked(t *testing.T) {
	for in, want := range map[string]string{
		`t.connect("x", user = "u", password = "hunter2")`:   `t.connect("x", user = "u", password = "***")`,
		`t.connect(password="a'b", user = "u")`:              `t.connect(password="***", user = "u")`,
		`crew.add("a", flow, password='crewpw_sec`:           `crew.add("a", flow, password="***"`,
		`{"password": "hunter2", "user": "u"}`:               `{"password": "***", "user": "u"}`,
		`DB_PASSWORD = "hunter2"`:                            `DB_PASSWORD = "***"`,
		`target = "mysql://root:hun:ter2@127.0.0.1:3306/db"`: `target = "mysql://root:***@127.0.0.1:3306/db"`,
		`"mysql://root@127.0.0.1:3306/db"`:                   `"mysql://root@127.0.0.1:3306/db"`,
		`param("password", secret = True)`:                   `param("password", secret = True)`,
		`password = t.params.password`:                       `password = t.params.password`,
	} {
		if got := masked(in); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}
