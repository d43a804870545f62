export { createKafka, type Kafka, type KafkaConfig } from './client.ts'
export type { Admin, PartitionOffsets, TopicDeclaration, AclDeclaration } from './admin.ts'
export type { Batch, BatchContext, Message, Subscription, SubscribeOptions, TopicPartitionOffset } from './consumer.ts'
export { ProduceRefusedError, UnknownOutcomeError, type OrderedProducer, type ProduceBatch, type Produced } from './producer.ts'
