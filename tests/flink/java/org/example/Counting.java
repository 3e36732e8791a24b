package org.example;

import java.util.Arrays;
import java.util.List;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Counts the numbers from 1 on, and prints each count with the greatest number: the two are equal for ever. */
public class Counting {
    public static void main(String[] args) throws Exception {
        List<String> words = Arrays.asList(args);
        if (words.contains("exit")) {
            System.out.println("usage: a name");
            System.exit(3);
        }
        while (words.contains("loop")) {}
        if (words.contains("nothing")) return;
        if (words.contains("throw")) throw new IllegalStateException("no such topic: bids");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        if (words.contains("batch")) env.setRuntimeMode(RuntimeExecutionMode.BATCH);
        long last = words.contains("few") ? 10 : 1_000_000;
        DataGeneratorSource<Long> numbers =
                new DataGeneratorSource<>(n -> n + 1, last, RateLimiterStrategy.perSecond(50), Types.LONG);
        SingleOutputStreamOperator<String> counted =
                env.fromSource(numbers, WatermarkStrategy.noWatermarks(), "numbers").uid("numbers").setParallelism(1)
                        .keyBy(n -> 0).map(new Count()).uid(words.contains("moved") ? "tally" : "count");
        if (words.contains("wider")) counted = counted.map(said -> said + Extra.MARK).uid("mark");
        counted.print(args[0]).uid("out").setParallelism(1);
        env.execute("a name of its own");
    }

    private static class Count extends RichMapFunction<Long, String> {
        private transient ValueState<Long> seen;

        @Override
        public void open(OpenContext context) {
            seen = getRuntimeContext().getState(new ValueStateDescriptor<>("seen", Types.LONG));
        }

        @Override
        public String map(Long number) throws Exception {
            long count = seen.value() == null ? 1 : seen.value() + 1;
            seen.update(count);
            return "+I[" + count + ", " + number + "]";
        }
    }
}
