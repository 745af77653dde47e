package query

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// list tells the cursors of different lists apart.
type list byte

const (
	eventList list = 'e'
	runList   list = 'r'
	auditList list = 'a'
	nameList  list = 'n'

	rejectionList list = 'x'

	deadLetterList list = 'd'
)

// position is the place of an item in a list: the list goes on behind it. The zero position is before the first item.
type position struct {
	at time.Time // received_at, or what else the list is ordered by, to the millisecond
	id uuid.UUID
}

// cursor writes the position as
//
//	[ 1 byte list ][ 8 bytes milliseconds, big endian ][ 16 bytes ID ]
//
// in base64url. What is in it is nobody else's business.
func (p position) cursor(of list) string {
	bytes := binary.BigEndian.AppendUint64([]byte{byte(of)}, uint64(p.at.UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(append(bytes, p.id[:]...))
}

func parseCursor(cursor string, of list) (position, error) {
	if cursor == "" {
		return position{}, nil
	}
	bytes, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(bytes) != 25 || bytes[0] != byte(of) {
		return position{}, &FilterError{"cursor", "not a next_cursor of this list"}
	}
	at := time.UnixMilli(int64(binary.BigEndian.Uint64(bytes[1:9]))).UTC()
	if at.Year() < 1970 || at.Year() > 2105 {
		return position{}, &FilterError{"cursor", "not a next_cursor of this list"}
	}
	return position{at, uuid.UUID(bytes[9:])}, nil
}
