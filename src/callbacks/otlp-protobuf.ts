import type { OtlpAttribute, OtlpSpan, OtlpTraces, OtlpValue } from './otlp.js'

// Field numbers of opentelemetry/proto/trace/v1/trace.proto and common/v1/common.proto, which never change.

const [varint, fixed64, bytes] = [0, 1, 2]

/** An OTLP request in protobuf's binary form, for servers that read no JSON. */
export function toProtobuf({ resourceSpans }: OtlpTraces): Uint8Array {
  return Buffer.concat(
    resourceSpans.map(({ resource, scopeSpans }) =>
      message(
        1,
        message(1, ...attributes(1, resource.attributes)),
        ...scopeSpans.map(({ scope, spans }) =>
          message(
            2,
            message(1, text(1, scope.name), text(2, scope.version)),
            ...spans.map((span) => message(2, ...spanFields(span))),
          ),
        ),
      ),
    ),
  )
}

function spanFields(span: OtlpSpan): readonly Buffer[] {
  return [
    field(1, Buffer.from(span.traceId, 'hex')),
    field(2, Buffer.from(span.spanId, 'hex')),
    ...(span.parentSpanId === '' ? [] : [field(4, Buffer.from(span.parentSpanId, 'hex'))]),
    text(5, span.name),
    number(6, BigInt(span.kind)),
    time(7, span.startTimeUnixNano),
    time(8, span.endTimeUnixNano),
    ...attributes(9, span.attributes),
    ...span.events.map((event) =>
      message(11, time(1, event.timeUnixNano), text(2, event.name), ...attributes(3, event.attributes)),
    ),
    message(15, text(2, span.status.message), number(3, BigInt(span.status.code))),
  ]
}

function attributes(id: number, list: readonly OtlpAttribute[]): readonly Buffer[] {
  return list.map(({ key, value }) => message(id, text(1, key), message(2, valueField(value))))
}

function valueField(value: OtlpValue): Buffer {
  if ('stringValue' in value) return text(1, value.stringValue)
  if ('boolValue' in value) return number(2, value.boolValue ? 1n : 0n)
  if ('intValue' in value) return number(3, BigInt.asUintN(64, BigInt(value.intValue)))
  if ('doubleValue' in value) {
    const written = Buffer.alloc(8)
    written.writeDoubleLE(value.doubleValue)
    return Buffer.concat([tag(4, fixed64), written])
  }
  return message(5, ...value.arrayValue.values.map((member) => message(1, valueField(member))))
}

function message(id: number, ...fields: readonly Buffer[]): Buffer {
  return field(id, Buffer.concat(fields))
}

function text(id: number, value: string): Buffer {
  return field(id, Buffer.from(value, 'utf8'))
}

function field(id: number, content: Buffer): Buffer {
  return Buffer.concat([tag(id, bytes), encodeVarint(BigInt(content.length)), content])
}

function number(id: number, value: bigint): Buffer {
  return Buffer.concat([tag(id, varint), encodeVarint(value)])
}

function time(id: number, nanoseconds: string): Buffer {
  const written = Buffer.alloc(8)
  written.writeBigUInt64LE(BigInt(nanoseconds))
  return Buffer.concat([tag(id, fixed64), written])
}

function tag(id: number, wireType: number): Buffer {
  return encodeVarint(BigInt(id * 8 + wireType))
}

/** Seven bits a byte, lowest first; the highest bit says that more follow. */
function encodeVarint(value: bigint): Buffer {
  const written: number[] = []
  let rest = value
  while (rest > 127n) {
    written.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  written.push(Number(rest))
  return Buffer.from(written)
}
