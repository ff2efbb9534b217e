package session_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"rig/runtime/fault"
	"rig/runtime/session"
)

const password = "s3cr3t'pw"

func TestPasswordShowsNowhere(t *testing.T) {
	w := on(t, needMariadb(t), nil)
	maker := w.open()
	w.exec(maker, "CREATE OR REPLACE USER secretive IDENTIFIED BY 's3cr3t''pw'")
	defer w.exec(maker, "DROP USER secretive")
	w.exec(maker, "GRANT ALL ON *.* TO secretive")
	c := w.cfg
	c.User, c.Password = "secretive", password
	hub := session.NewHub(c)
	defer hub.Close()
	s, err := hub.Open(t.Context(), session.Options{Name: "s"})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, v := range []any{c, &c, struct{ C session.Config }{c}, []session.Config{c}, map[string]session.Config{"a": c}, hub, s, struct{ *session.Hub }{hub}, hub.Config(), s.Config()} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%T"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		j, _ := json.Marshal(v) // an error is as good
		out.Write(j)
		slog.New(slog.NewTextHandler(&out, nil)).Info("a", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("a", "v", v)
	}
	bad := c
	bad.User = "nobody"
	_, err = session.NewHub(bad).Open(t.Context(), session.Options{Name: "s"})
	f := fails(t, err, fault.AccessDenied, "nobody", c.Target)
	fmt.Fprintf(&out, "%v %+v %#v %s", err, err, *f, f.Hint)
	bad.Address = "/nonexistent/socket"
	_, err = session.NewHub(bad).Open(t.Context(), session.Options{Name: "s"})
	fmt.Fprintf(&out, "%v %+v %#v", err, err, errors.Unwrap(err))
	text := out.String()
	for _, spelling := range []string{password, "s3cr3t", fmt.Sprintf("%x", password), fmt.Sprintf("%X", password), strings.Trim(fmt.Sprint([]byte(password)), "[]")} {
		if i := strings.Index(text, spelling); i >= 0 {
			t.Errorf("the password shows as %s: %.200s", spelling, text[max(0, i-100):])
		}
	}
	if !strings.Contains(fmt.Sprintf("%+v", c), "secretive") || strings.Contains(fmt.Sprintf("%+v", hub), "0x") {
		t.Errorf("%+v | %+v", c, hub)
	}
}
