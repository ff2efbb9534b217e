package session

import "testing"

func TestTouched(t *testing.T) {
	p := &protection{foreign: map[string]bool{"shop": true, "mysql": true}, allowed: func(db string) bool { return db == "rig_1_2" || db == "mine" }}
	for sql, want := range map[string]string{
		"SELECT * FROM shop.orders":                "shop",
		"INSERT INTO `Shop` . orders VALUES (1)":   "Shop",
		"UPDATE o SET o.shop = 1":                  "",
		"SELECT rig_1_2.shop.id FROM rig_1_2.shop": "",
		"USE shop":                     "shop",
		"USE `mine`":                   "",
		"CREATE DATABASE other":        "other",
		"DROP DATABASE IF EXISTS shop": "shop",
		"CREATE DATABASE mine":         "",
		"SELECT 'shop.orders', \"a\" FROM t -- shop.x":        "",
		"CREATE TABLE mysql.x (i INT)":                        "mysql",
		"SELECT 1.5 FROM t":                                   "",
		"SELECT * FROM a JOIN shop.b ON a.id = b.id":          "shop",
		"DELETE FROM information_schema.x":                    "",
		"SELECT mine.t.c, x FROM mine.t WHERE mine.t.c = 1.0": "",
	} {
		if got := p.touched(sql); got != want {
			t.Errorf("%s: got %q, want %q", sql, got, want)
		}
	}
}
