package data

import (
	"fmt"
	"hash/fnv"
	"math/big"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/brianvoe/gofakeit/v7"
)

// Faker gives values that look real. It is for one goroutine.
type Faker struct{ f *gofakeit.Faker }

// NewFaker begins a row of values: the same for the same seed and names.
func NewFaker(seed int64, names ...string) *Faker {
	h := fnv.New64a()
	for _, n := range names {
		fmt.Fprintf(h, "%d:%s", len(n), n)
	}
	return &Faker{gofakeit.NewFaker(rand.NewPCG(uint64(seed), h.Sum64()), false)}
}

// Text is a kind of text that a Faker makes.
type Text struct {
	Name string // as scripts call it
	Doc  string
	Make func(*Faker) string
}

// Texts lists the kinds. Addresses of mail and of pages are in the domains that are reserved for examples (RFC 2606): data
// that leaves a test by mistake reaches nobody.
func Texts() []Text {
	return []Text{
		{"name", "A person's full name.", func(f *Faker) string { return f.f.Name() }},
		{"first_name", "A first name.", func(f *Faker) string { return f.f.FirstName() }},
		{"last_name", "A family name.", func(f *Faker) string { return f.f.LastName() }},
		{"email", "An address of mail in a domain that is reserved for examples. Two may be alike: put the factory's n into a column that is unique.", (*Faker).email},
		{"username", "A name to log in with. Two may be alike.", func(f *Faker) string { return f.f.Username() }},
		{"phone", "A telephone number, digits only.", func(f *Faker) string { return f.f.Phone() }},
		{"company", "The name of a company.", func(f *Faker) string { return f.f.Company() }},
		{"job_title", "What a person does for a living.", func(f *Faker) string { return f.f.JobTitle() }},
		{"product", "The name of something for sale.", func(f *Faker) string { return f.f.ProductName() }},
		{"city", "The name of a city.", func(f *Faker) string { return f.f.City() }},
		{"country", "The name of a country.", func(f *Faker) string { return f.f.Country() }},
		{"country_code", "Two letters for a country.", func(f *Faker) string { return f.f.CountryAbr() }},
		{"state", "The name of a state of the USA.", func(f *Faker) string { return f.f.State() }},
		{"street", "A house number with its street.", func(f *Faker) string { return f.f.Street() }},
		{"zip", "A postal code.", func(f *Faker) string { return f.f.Zip() }},
		{"currency", "Three letters for a currency.", func(f *Faker) string { return f.f.CurrencyShort() }},
		{"color", "The name of a colour.", func(f *Faker) string { return f.f.Color() }},
		{"word", "A word.", func(f *Faker) string { return f.f.Word() }},
		{"sentence", "A sentence.", func(f *Faker) string { return f.f.Sentence() }},
		{"paragraph", "Some sentences.", func(f *Faker) string { return f.f.Paragraph() }},
		{"uuid", "A UUID of version 4.", func(f *Faker) string { return f.f.UUID() }},
		{"url", "The address of a page in a domain that is reserved for examples.", (*Faker).url},
		{"domain", "A domain that is reserved for examples.", func(f *Faker) string { return f.slug() + "." + f.domain() }},
		{"ipv4", "An IPv4 address.", func(f *Faker) string { return f.f.IPv4Address() }},
		{"ipv6", "An IPv6 address.", func(f *Faker) string { return f.f.IPv6Address() }},
		{"mac", "A hardware address.", func(f *Faker) string { return f.f.MacAddress() }},
		{"user_agent", "How a browser names itself.", func(f *Faker) string { return f.f.UserAgent() }},
	}
}

func (f *Faker) domain() string {
	return []string{"example.com", "example.net", "example.org"}[f.f.IntN(3)]
}

func (f *Faker) email() string {
	return fmt.Sprintf("%s.%s%d@%s", plain(f.f.FirstName()), plain(f.f.LastName()), f.f.IntN(1000), f.domain())
}

func (f *Faker) url() string { return "https://www." + f.domain() + "/" + f.slug() + "/" + f.slug() }

func (f *Faker) slug() string { return plain(f.f.Noun()) }

// plain keeps the letters and digits of ASCII, small.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
	if s == "" {
		return "x"
	}
	return s
}

// Int is a whole number from lo to hi, both ends included; lo must not be more than hi.
func (f *Faker) Int(lo, hi int64) int64 {
	span := uint64(hi) - uint64(lo) + 1
	if span == 0 {
		return int64(f.f.Uint64())
	}
	return int64(uint64(lo) + rand.New(f).Uint64N(span))
}

// Uint64 makes a Faker a source for math/rand.
func (f *Faker) Uint64() uint64 { return f.f.Uint64() }

// Bool is true or false.
func (f *Faker) Bool() bool { return f.f.Uint64()&1 == 1 }

// Float is from lo up to but not including hi.
func (f *Faker) Float(lo, hi float64) float64 { return lo + rand.New(f).Float64()*(hi-lo) }

// Decimal is a number from lo to hi with so many digits after the point, in digits.
func (f *Faker) Decimal(lo, hi int64, places int) string {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	low := new(big.Int).Mul(big.NewInt(lo), scale)
	span := new(big.Int).Mul(new(big.Int).Sub(big.NewInt(hi), big.NewInt(lo)), scale)
	n := new(big.Int).SetUint64(f.f.Uint64())
	n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(f.f.Uint64())) // twice the bits: what Mod favours is too little to see
	n.Mod(n, span.Add(span, big.NewInt(1))).Add(n, low)
	return new(big.Rat).SetFrac(n, scale).FloatString(places)
}

// Time is a moment from lo to hi, both ends included, in whole seconds.
func (f *Faker) Time(lo, hi time.Time) time.Time {
	return time.Unix(f.Int(lo.Unix(), hi.Unix()), 0).UTC()
}
