package dispatcher

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// doneMap is the finished offsets beyond a committed one, ascending. It travels in the commit's metadata, so that who
// reads the partition next knows that these runs need not be sent again.
type doneMap []offsetRange

// offsetRange is the offsets from one on and below another.
type offsetRange struct{ from, to int64 }

// metadataBytes is how long a map may be as text. Brokers take 4,096 bytes by default; what does not fit is left out,
// and its runs are looked up one by one.
const metadataBytes = 3000

// doneMapVersion begins the text. A reader that does not know it reads no map, and sends nothing twice all the same.
const doneMapVersion = "done1:"

// encode returns the map as text: how far each range begins after the last one's end, and how long it is.
func (m doneMap) encode(next int64) string {
	if len(m) == 0 {
		return ""
	}
	var packed []byte
	for _, r := range m {
		longer := binary.AppendUvarint(binary.AppendUvarint(packed, uint64(r.from-next)), uint64(r.to-r.from))
		if base64.RawStdEncoding.EncodedLen(len(longer))+len(doneMapVersion) > metadataBytes {
			break
		}
		packed, next = longer, r.to
	}
	return doneMapVersion + base64.RawStdEncoding.EncodeToString(packed)
}

// decodeDoneMap reads what encode wrote. Text of somebody else is an empty map.
func decodeDoneMap(text string, next int64) (doneMap, error) {
	encoded, isOurs := strings.CutPrefix(text, doneMapVersion)
	if !isOurs {
		return nil, nil
	}
	packed, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("the commit's map of finished runs: %w", err)
	}
	var all doneMap
	for len(packed) > 0 {
		gap, n := binary.Uvarint(packed)
		length, k := binary.Uvarint(packed[max(n, 0):])
		if n <= 0 || k <= 0 || gap > maxRange || length == 0 || length > maxRange {
			return nil, fmt.Errorf("the commit's map of finished runs is damaged: %q", text)
		}
		from := next + int64(gap)
		next = from + int64(length)
		all = append(all, offsetRange{from, next})
		packed = packed[n+k:]
	}
	return all, nil
}

// maxRange bounds what a damaged map can say.
const maxRange = 1 << 40
