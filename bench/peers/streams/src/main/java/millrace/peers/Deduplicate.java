package millrace.peers;

import java.time.Duration;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;

/** Passes on a record whose key was not seen within the window before it, as the usual recipe for Streams does it. */
final class Deduplicate implements FixedKeyProcessor<byte[], byte[], byte[]> {
    static final String STORE = "seen";
    static final Duration WINDOW = Duration.ofHours(24);
    private static final byte[] SEEN = {1};

    private FixedKeyProcessorContext<byte[], byte[]> context;
    private WindowStore<byte[], byte[]> seen;

    @Override
    public void init(FixedKeyProcessorContext<byte[], byte[]> context) {
        this.context = context;
        seen = context.getStateStore(STORE);
    }

    @Override
    public void process(FixedKeyRecord<byte[], byte[]> record) {
        long at = record.timestamp();
        try (WindowStoreIterator<byte[]> earlier = seen.fetch(record.key(), at - WINDOW.toMillis(), at)) {
            if (earlier.hasNext()) {
                return;
            }
        }
        seen.put(record.key(), SEEN, at);
        context.forward(record);
    }
}
