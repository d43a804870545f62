export { type Column, type ControlItem, endsShare, type Heartbeat, type Item, type ParkedItem, type RecordItem, type TechnicalItem } from '@hub/schemas/log-item'
