export { headerText, keyText, parkedHash, type ParkReason } from '@hub/schemas/park'
