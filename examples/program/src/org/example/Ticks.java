package org.example;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Counts ticks, one a second, and goes on counting after every upgrade: each operator with state has a uid. */
public class Ticks {
    public static void main(String[] args) throws Exception {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        DataGeneratorSource<Long> ticks =
                new DataGeneratorSource<>(n -> n, Long.MAX_VALUE, RateLimiterStrategy.perSecond(1), Types.LONG);
        env.fromSource(ticks, WatermarkStrategy.noWatermarks(), "ticks").uid("ticks").setParallelism(1)
                .keyBy(n -> 0).map(new Count()).uid("count")
                .print(args[0]).uid("print");
        env.execute();
    }

    private static class Count extends RichMapFunction<Long, Long> {
        private transient ValueState<Long> seen;

        @Override
        public void open(OpenContext context) {
            seen = getRuntimeContext().getState(new ValueStateDescriptor<>("seen", Types.LONG));
        }

        @Override
        public Long map(Long tick) throws Exception {
            seen.update(seen.value() == null ? 1 : seen.value() + 1);
            return seen.value();
        }
    }
}
