package chdb

import (
	"encoding/binary"
	"net/url"
	"strconv"
	"strings"
)

// helloQuery is what clickhouse-go asks first, over a Native format with the
// additions of its own protocol revision. The answer names revision 0, and from
// then on the driver reads and writes Native without any addition: exactly what
// the engine speaks, so that no other block needs re-encoding (which is how
// JSON columns get corrupted).
const helloQuery = "SELECT displayName(), version(), revision(), timezone()"

// customSerialization is the first revision whose columns carry a byte that
// says whether they are specially encoded; clickhouse-go v2.50.0 sends 54460.
const customSerialization = 54454

// isHello reports whether a request is that first question.
func isHello(sql string, arguments url.Values) bool {
	revision, err := strconv.Atoi(arguments.Get("client_protocol_version"))
	return err == nil && revision >= customSerialization && sql == helloQuery
}

// hello answers the driver's first question.
func (s *session) hello(answer *answer) error {
	line, err := s.text("SELECT displayName(), version(), timezone() FORMAT TSVRaw")
	if err != nil {
		return err
	}
	fields := strings.Split(strings.TrimSpace(line), "\t")
	if len(fields) != 3 {
		return newException(codeUnknownException, "The engine's greeting is "+line, "UNKNOWN_EXCEPTION")
	}
	return answer.write(helloBlock(fields[0], fields[1], fields[2]))
}

// helloBlock writes one Native block of one row:
//
//	block info   01 overflow:bool 02 bucket:int32 00
//	sizes        columns:uvarint rows:uvarint
//	each column  name:string type:string custom:bool value
//
// where a string is its length as a uvarint and its bytes.
func helloBlock(displayName, version, timezone string) []byte {
	block := []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 4, 1}
	block = appendText(block, "displayName()", displayName)
	block = appendText(block, "version()", version)
	block = append(appendColumn(block, "revision()", "UInt32"), 0, 0, 0, 0)
	return appendText(block, "timezone()", timezone)
}

func appendText(block []byte, name, value string) []byte {
	return appendString(appendColumn(block, name, "String"), value)
}

func appendColumn(block []byte, name, kind string) []byte {
	return append(appendString(appendString(block, name), kind), 0)
}

func appendString(block []byte, s string) []byte {
	return append(binary.AppendUvarint(block, uint64(len(s))), s...)
}
