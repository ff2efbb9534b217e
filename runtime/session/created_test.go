package session

import "testing"

func TestDDL(t *testing.T) {
	for _, tt := range []struct{ sql, verb, what, db, name string }{
		{"CREATE TABLE a (i INT)", "CREATE", "table", "", "a"},
		{"create table if not exists `x`.`a``b` (i int)", "CREATE", "table", "x", "a`b"},
		{"CREATE OR REPLACE VIEW v.w AS SELECT 1", "CREATE", "view", "v", "w"},
		{"CREATE TEMPORARY TABLE a (i INT)", "", "", "", ""},
		{"CREATE DATABASE IF NOT EXISTS d", "CREATE", "database", "d", ""},
		{"DROP SCHEMA `d`", "DROP", "database", "d", ""},
		{"/* c */ DROP TABLE IF EXISTS x.a", "DROP", "table", "x", "a"},
		{"CREATE INDEX i ON a (b)", "", "", "", ""},
		{"ALTER TABLE a ADD b INT", "", "", "", ""},
		{"CREATE TABLE", "CREATE", "table", "", ""},
	} {
		if verb, what, db, name := ddl(tt.sql); verb != tt.verb || what != tt.what || db != tt.db || name != tt.name {
			t.Errorf("%s: got %q %q %q %q", tt.sql, verb, what, db, name)
		}
	}
	if got := usedDatabase("USE `other db`"); got != "other db" {
		t.Errorf("got %q", got)
	}
}
