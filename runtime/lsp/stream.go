package lsp

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/creachadair/jrpc2/channel"
)

// maxMessage bounds one message: a document has at most 1 MiB, and JSON may make six bytes of one.
const maxMessage = 16 << 20

// stream frames messages as the protocol has it. Sending is the library's; its receiver believes any Content-Length.
type stream struct {
	channel.Channel
	in   *bufio.Reader
	over bool // the client has said exit: what it does with its end of the stream is its own business

	// The library stops at the end of the stream at once, and then breaks down over a broken notification that it still has
	// (1.3.6: it answers on a channel that is nil). So the end is announced by a last notification, and told when that was handled. For the same reason nobody else
	// stops the server.
	end     error         // what ended the stream
	drained chan struct{} // closed when all before the end was taken up
	drain   sync.Once
}

// endMethod announces the end of the stream to the server itself.
const endMethod = "rig/end"

func bounded(r io.Reader, w io.WriteCloser) *stream {
	return &stream{Channel: channel.LSP(nil, w), in: bufio.NewReader(r), drained: make(chan struct{})}
}

// maxHeaders bounds the lines of a head.
const maxHeaders = 16

// Recv reads one message. Behind exit it reads nothing: nobody could interrupt that.
func (s *stream) Recv() ([]byte, error) {
	if s.end != nil {
		<-s.drained
		return nil, s.end
	}
	body, err := s.next()
	if err != nil {
		s.end = err
		return []byte(`{"jsonrpc":"2.0","method":"` + endMethod + `"}`), nil
	}
	return body, nil
}

// ended says that all before the end was taken up.
func (s *stream) ended() { s.drain.Do(func() { close(s.drained) }) }

func (s *stream) next() ([]byte, error) {
	if s.over {
		return nil, io.EOF
	}
	body, err := s.message()
	var head struct {
		Method string `json:"method"`
	}
	if len(body) < 256 && json.Unmarshal(body, &head) == nil {
		s.over = head.Method == "exit"
	}
	return body, err
}

func (s *stream) message() ([]byte, error) {
	size := -1
	for n := 0; ; n++ {
		line, err := s.in.ReadSlice('\n') // at most the buffer's 4096 bytes
		if err != nil {
			if errors.Is(err, io.EOF) && n == 0 && len(line) == 0 {
				return nil, io.EOF
			}
			return nil, fmt.Errorf("the head of a message does not end: %w", err)
		}
		text := strings.TrimSpace(string(line))
		if text == "" && size >= 0 {
			break
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok || n == maxHeaders {
			return nil, fmt.Errorf("want Content-Length, got %.40q", text)
		}
		if strings.EqualFold(name, "Content-Length") {
			if size, err = strconv.Atoi(strings.TrimSpace(value)); err != nil || size < 0 || size > maxMessage {
				return nil, fmt.Errorf("want a Content-Length up to %d, got %.40q", maxMessage, value)
			}
		}
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(s.in, body); err != nil {
		return nil, fmt.Errorf("a message of %d bytes is cut: %w", size, err)
	}
	return body, nil
}
