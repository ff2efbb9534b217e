package config

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Never written to.
var (
	plainWord = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
	zoneShape = regexp.MustCompile(`^[A-Za-z0-9_+:/-]{1,64}$`)
)

type pair struct{ key, value string }

// splitQuery splits key=value&key=value and undoes the escapes.
func splitQuery(query string) ([]pair, error) {
	if query == "" {
		return nil, nil
	}
	var pairs []pair
	seen := map[string]bool{}
	for part := range strings.SplitSeq(query, "&") {
		k, v, ok := strings.Cut(part, "=")
		key, err := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		if !ok || err != nil || err2 != nil || key == "" {
			return nil, &Problem{Message: "the parameters after ? are not name=value, joined by &", Hint: "in a value write & as %26, = as %3D, % as %25"}
		}
		if seen[key] {
			return nil, &Problem{Message: "the parameter " + strconv.Quote(clip(key)) + " is given twice"}
		}
		seen[key] = true
		pairs = append(pairs, pair{key, value})
	}
	return pairs, nil
}

// paramNames lists the parameters that an address may have.
func paramNames() []string {
	return []string{"tls", "tls-ca", "tls-cert", "tls-key", "tls-server-name", "charset", "collation", "time_zone", "loc"}
}

// refusedParams are parameters of go-sql-driver that would change what rig promises, with what to do instead.
func refusedParams() map[string]string {
	const own = "rig decides it itself: leave it out"
	return map[string]string{
		"allowAllFiles":            "rig reads no files on a server's behalf: leave it out",
		"allowCleartextPasswords":  "rig allows clear text passwords with TLS only: leave it out",
		"allowFallbackToPlaintext": "rig does not fall back to plain text: say tls=off to do without TLS",
		"allowNativePasswords":     own,
		"allowOldPasswords":        "rig does not send passwords in the form of MySQL before 4.1: leave it out",
		"checkConnLiveness":        own,
		"clientFoundRows":          "rig reports the rows that were changed: leave it out",
		"columnsWithAlias":         own,
		"compress":                 "rig does not compress: leave it out",
		"connectionAttributes":     own,
		"interpolateParams":        "rig sends arguments apart from the statement: leave it out",
		"maxAllowedPacket":         "rig asks the server: leave it out",
		"multiStatements":          "rig sends one statement at a time: leave it out",
		"parseTime":                "rig reads times itself: leave it out",
		"readTimeout":              "use the setting statement-timeout",
		"rejectReadOnly":           own,
		"serverPubKey":             "use TLS",
		"strict":                   "warnings are the setting strict's business",
		"timeTruncate":             own,
		"timeout":                  "use the setting connect-timeout",
		"writeTimeout":             "use the setting statement-timeout",
		"password":                 "it belongs before the @, or into RIG_PASSWORD",
		"user":                     "it belongs before the @",
		"ssl-mode":                 "say tls=verify, tls=skip-verify or tls=off",
		"sslmode":                  "say tls=verify, tls=skip-verify or tls=off",
	}
}

// setParam takes one parameter of an address. also lists further names, for the suggestion.
func (t *Target) setParam(key, value string, also ...string) error {
	switch key {
	case "tls":
		mode, err := tlsMode(value)
		t.TLS.Mode = mode
		return err
	case "tls-ca":
		t.TLS.CA = value
	case "tls-cert":
		t.TLS.Cert = value
	case "tls-key":
		t.TLS.Key = value
	case "tls-server-name":
		t.TLS.ServerName = value
	case "charset", "collation":
		return t.setWord(key, value)
	case "time_zone", "loc":
		return t.setZone(key, value)
	default:
		return refuse(key, append(paramNames(), also...))
	}
	return nil
}

func refuse(key string, names []string) error {
	if hint, ok := refusedParams()[key]; ok {
		return &Problem{Message: "the parameter " + strconv.Quote(key) + " is not allowed", Hint: hint}
	}
	hint := didYouMean(key, names)
	if hint == "" {
		hint = "the parameters are " + strings.Join(names, ", ")
	}
	return &Problem{Message: "unknown parameter " + strconv.Quote(clip(key)), Hint: hint}
}

func (t *Target) setWord(key, value string) error {
	if !plainWord.MatchString(value) {
		return &Problem{Message: "the parameter " + strconv.Quote(key) + " is not one plain word"}
	}
	t.param(key, value)
	return nil
}

// setZone takes a time zone, with or without quotes as the driver wants them. Both spellings end as time_zone.
func (t *Target) setZone(key, value string) error {
	if _, ok := t.Params["time_zone"]; ok {
		return &Problem{Message: "time_zone and loc are one thing", Hint: "leave one of them out"}
	}
	value = strings.Trim(value, `'"`)
	if strings.HasPrefix(value, " ") {
		value = "+" + value[1:] // an unescaped + in a query is a blank
	}
	switch {
	case key == "loc" && value == "Local":
		return &Problem{Message: "loc=Local depends on the machine", Hint: "name the zone: time_zone=%2B00:00"}
	case value == "UTC":
		value = "+00:00"
	case !zoneShape.MatchString(value):
		return &Problem{Message: "the parameter " + strconv.Quote(key) + " is no time zone", Hint: "write %2B02:00 or Europe/Berlin"}
	}
	t.param("time_zone", value)
	return nil
}

func (t *Target) param(key, value string) {
	if t.Params == nil {
		t.Params = map[string]string{}
	}
	t.Params[key] = value
}

// tlsFits refuses TLS settings that contradict each other.
func (t *Target) tlsFits() error {
	if _, why := t.TLS.conflict(); why != "" {
		return &Problem{Message: why}
	}
	return nil
}
