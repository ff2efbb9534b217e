package config

import "strings"

// ParseDSN reads the text form of go-sql-driver: user:password@tcp(host:3306)/database?tls=skip-verify or
// user@unix(/path)/database, with the driver's defaults. Nothing before the last slash is %-escaped. The error is a
// [*Problem] that does not hold the text.
func ParseDSN(text string) (Target, error) {
	t := Target{Name: kindDSN, Kind: kindDSN}
	slash := strings.LastIndexByte(text, '/')
	if slash < 0 {
		return Target{}, &Problem{Message: "the DSN has no / before the database", Hint: dsnHint}
	}
	server, rest := text[:slash], text[slash+1:]
	if strings.ContainsAny(rest, "@()") {
		return Target{}, &Problem{Message: "the DSN has no / between its address and the database, or an unescaped / in a parameter", Hint: dsnHint}
	}
	if i := strings.LastIndexByte(server, '@'); i >= 0 {
		t.User, t.Password, t.HasPassword = strings.Cut(server[:i], ":")
		server = server[i+1:]
	}
	database, query, _ := strings.Cut(rest, "?")
	t.Database = database
	pairs, err := splitQuery(query)
	if err != nil {
		return Target{}, err
	}
	if err := t.dsnPlace(server); err != nil {
		return Target{}, err
	}
	for _, p := range pairs {
		if err := t.setParam(p.key, p.value); err != nil {
			return Target{}, err
		}
	}
	if err := t.tlsFits(); err != nil {
		return Target{}, err
	}
	return t, nil
}

// dsnPlace reads protocol(address); the driver allows both, or one, or none.
func (t *Target) dsnPlace(server string) error {
	network, address := server, ""
	if i := strings.IndexByte(server, '('); i >= 0 {
		if !strings.HasSuffix(server, ")") {
			return &Problem{Message: "the DSN's address has no ) at its end", Hint: dsnHint}
		}
		network, address = server[:i], server[i+1:len(server)-1]
	}
	switch network {
	case "tcp", "":
		if address == "" {
			address = "127.0.0.1"
		}
		return t.tcp(address)
	case "unix":
		if address == "" {
			address = defaultSocket
		}
		return t.unix(address)
	}
	return &Problem{Message: "the DSN's protocol is neither tcp nor unix", Hint: dsnHint}
}
